# Makes the manual page backstopd.toml(5) of the sample configuration, which is its own manual.
#
#   awk -v version=0.1.0 -f bindings/mta/man/backstopd.toml.5.awk bindings/mta/backstopd.toml > backstopd.toml.5
#
# In the sample, prose has a blank behind its `#`; two blanks more keep its lines as they are. A key (`key = value`, an
# example if a `#` stands before it) ends the prose that tells of it. A line without either ends a paragraph.
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/`/, "\\(ga", text)
    gsub(/'/, "\\(aq", text)
    gsub(/"/, "\\(dq", text)
    sub(/^\./, "\\\\\\&.", text)
    return text
}
function paragraph(text) { prose = prose text "\n" }
function tell() {
    printf "%s", prose
    prose = ""
}
function columns(wanted) {
    if (wanted != table) {
        paragraph(wanted ? ".nf" : ".fi")
        table = wanted
    }
}
BEGIN {
    printf ".TH BACKSTOPD.TOML 5 \"\" \"backstop %s\"\n", version
    print ".SH NAME\nbackstopd.toml \\- configuration of backstopd\n.SH DESCRIPTION"
}
/^#  / {
    columns(1)
    paragraph(escaped(substr($0, 2)))
    next
}
/^# / {
    columns(0)
    line = substr($0, 3)
    if (line ~ /^Default: /) {
        paragraph(".br")
    }
    paragraph(escaped(line))
    next
}
{ columns(0) }
/^#?\[.*\]$/ {
    sub(/^#/, "")
    if (began) {
        # What stands before the head of a table tells of the table.
        held = prose
        prose = ""
        printf ".SH %s\n%s", escaped($0), held
    } else {
        tell()
        printf ".SH %s\n", escaped($0)
    }
    began = 1
    next
}
/^#?[a-z-]+ = / {
    sub(/^#/, "")
    printf ".TP\n.B %s\n", escaped($0)
    tell()
    next
}
(/^$/ && prose) || /^#$/ { paragraph(".PP") }
END {
    tell()
    print ".SH SEE ALSO\n.BR backstopd (8),\n.BR backstop (1),\n.BR postconf (5)"
}
