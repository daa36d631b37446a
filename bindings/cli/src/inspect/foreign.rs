//! Files that hold messages in a form that is not read, known by their first octets, so that they are refused by name.
//!
//! What is in none of these forms is a message, whatever it holds: mail is lost by a guess.

/// First octets, and what such a file is and what to do with it.
const FORMS: [(&[u8], &str); 15] = [
    (b"\x1f\x8b", "it is packed with gzip; give what zcat prints to `backstop inspect -`"),
    (b"BZh91AY&SY", "it is packed with bzip2; give what bzcat prints to `backstop inspect -`"),
    (b"\xfd7zXZ\0", "it is packed with xz; give what xzcat prints to `backstop inspect -`"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd; give what zstdcat prints to `backstop inspect -`"),
    (b"\x04\x22\x4d\x18", "it is packed with lz4; give what lz4cat prints to `backstop inspect -`"),
    (b"\x1f\x9d", "it is packed with compress; give what zcat prints to `backstop inspect -`"),
    (
        b"Dovecot-LZ4\r*\x9b\xc5",
        "it is packed by Dovecot with lz4; have Dovecot hand it out, as with `doveadm fetch text`",
    ),
    (
        b"CRYPTED\x03\x07",
        "it is encrypted by Dovecot (mail_crypt); have Dovecot hand it out, as with `doveadm fetch text`",
    ),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it and name the folder"),
    (b"PK\x03\x04", "it is a zip archive; unpack it and name the folder"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an Outlook message; save it as .eml, or have msgconvert do it"),
    (b"!BDN", "it is an Outlook folder (.pst); have readpst make an mbox of it"),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"%PDF-", "it is a PDF; save the message itself, as .eml"),
];
const UTF_16: &str = "it is text in UTF-16, as an editor writes it; save the message as it came, as .eml";

const TAR: &str = "it is a tar archive; unpack it and name the folder";

/// Whether a file begins as a tar archive of POSIX or GNU does: a name with zeros behind it, and a mark.
fn is_tar(head: &[u8]) -> bool {
    head.split_at_checked(257).is_some_and(|(before, mark)| mark.starts_with(b"ustar") && before.contains(&0))
}

/// What a file is that begins so, if it is no message.
pub(super) fn is(head: &[u8]) -> Option<&'static str> {
    let marked = FORMS.iter().find(|(octets, _)| head.starts_with(octets)).map(|(_, what)| *what);
    // Without a mark at its start: letters with a zero before or behind each.
    let wide = match head.get(..6) {
        Some([a, 0, b, 0, c, 0] | [0, a, 0, b, 0, c]) => [a, b, c].iter().all(|it| it.is_ascii_graphic()),
        _ => false,
    };
    marked.or_else(|| wide.then_some(UTF_16)).or_else(|| is_tar(head).then_some(TAR))
}

/// Whether the first line that is not blank is a field, or the separator that some programs leave before one.
pub(super) fn begins_with_field(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let line = head.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let name = line.split(|octet| *octet == b':').next().unwrap_or_default().trim_ascii_end();
    let is_field = name.len() < line.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_field || line.starts_with(b"From ") || line.starts_with(b">From ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_files_and_wide_text_are_named_and_mail_is_not() {
        let tar = [&b"cur/1\0"[..], &[0; 251], b"ustar  \0"].concat();
        let talk_of_tar = [&[b'x'; 257][..], b"ustar  "].concat();
        for (head, word) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"BZh91AY&SY", "bzip2"),
            (b"\xfd7zXZ\0\0", "xz"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd"),
            (b"PK\x03\x04", "zip"),
            (b"\x04\x22\x4d\x18\x64", "with lz4"),
            (b"\x1f\x9d\x90", "compress"),
            (b"Dovecot-LZ4\r*\x9b\xc5\0\x01", "by Dovecot"),
            (b"CRYPTED\x03\x07\x02", "mail_crypt"),
            (b"7z\xbc\xaf\x27\x1c\0", "7z"),
            (&tar, "tar"),
            (b"\xff\xfeS\0", "UTF-16"),
            (b"S\0u\0b\0", "UTF-16"),
            (b"\0S\0u\0b", "UTF-16"),
        ] {
            assert!(is(head).is_some_and(|what| what.contains(word)), "{word}");
        }
        for head in [&b""[..], b"Subject: x", b"From a", b"\0\0\0\0\0\0", b"Received: ", b"P", &talk_of_tar] {
            assert_eq!(is(head), None, "{head:?}");
        }
    }

    #[test]
    fn a_message_begins_with_a_field() {
        for (head, expected) in [
            (&b"Subject: x"[..], true),
            (b"\r\n\nSubject : x", true),
            (b">From a@b Fri", true),
            (b"hello world: x", false),
            (b"{\"a\": 1}", true),
            (b"\x89PNG\r\n\x1a\n", false),
            (b"", false),
            (b": x", false),
        ] {
            assert_eq!(begins_with_field(head), expected, "{head:?}");
        }
    }
}
