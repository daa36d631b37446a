# Sieve (Pigeonhole): file returned messages by what backstop says of them.
#
# Needs the plugin sieve_extprograms with vnd.dovecot.execute, and backstop-verdict in sieve_execute_bin_dir (README.md).
# The test `execute` is true when the program ended with 0; without it, or if it fails, the message is kept as it is.
require ["variables", "envelope", "fileinto", "mailbox", "editheader", "vnd.dovecot.execute"];

# A header of this name that came from outside says nothing.
deleteheader "X-Backstop";

# The recipient of the envelope, with its tag, which proves a bounce genuine.
set "recipient" "";
if envelope :matches "to" "*" {
    set "recipient" "${1}";
}
if execute :pipe :output "verdict" "backstop-verdict" ["${recipient}"] {
    addheader "X-Backstop" "${verdict}";
    # What answers mail that did not leave here. A folder: look into it before you discard.
    if string :matches "${verdict}" ["backscatter *", "forged *"] {
        fileinto :create "Backscatter";
        stop;
    }
}
