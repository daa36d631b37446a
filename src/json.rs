//! JSON objects (RFC 8259), written by hand to the end of a buffer: no allocation beside it, keys in the order of writing.
//!
//! Every control character is escaped: those below U+0020 as RFC 8259 demands, DEL and U+0080 to U+009F as well, so that an
//! object can be shown on a terminal. Octets that are not UTF-8 come out as U+FFFD, one for each piece that
//! [`<[u8]>::utf8_chunks`] finds, since JSON has no other way to hold them. What is written is valid UTF-8 on one line.
//!
//! It only writes, numbers are integers, and nobody keeps two keys of one name apart. The command writes all its objects
//! with it, so that it is public; it is no part of what the crate promises.

use std::fmt::Display;
use std::io::Write as _;

/// Writes one object.
pub fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::open(out);
    fill(&mut object);
    if object.next == b'{' {
        object.out.push(b'{');
    }
    object.out.push(b'}');
}

/// An object under construction; [`Object::close`] ends it and its line.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    next: u8,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of the buffer.
    pub fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        Object { out, next: b'{' }
    }

    fn name(&mut self, name: &'static str) {
        self.out.extend([self.next, b'"']);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.next = b',';
    }

    /// A string.
    pub fn text(&mut self, name: &'static str, value: &[u8]) -> &mut Self {
        self.name(name);
        string(value, self.out);
        self
    }

    /// A string or null.
    pub fn optional(&mut self, name: &'static str, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => {
                self.name(name);
                self.out.extend_from_slice(b"null");
                self
            }
        }
    }

    /// A string of what needs no escape (key ids, dates, fingerprints), or null.
    pub fn plain(&mut self, name: &'static str, value: Option<impl Display>) -> &mut Self {
        let Some(value) = value else { return self.optional(name, None) };
        self.name(name);
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "\"{value}\"");
        self
    }

    /// An object or null; `fill` writes what is in it.
    pub fn object(&mut self, name: &'static str, fill: Option<impl FnOnce(&mut Object<'_>)>) -> &mut Self {
        let Some(fill) = fill else { return self.optional(name, None) };
        self.name(name);
        object(self.out, fill);
        self
    }

    /// A list of objects.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(&mut Object<'_>, T),
    ) -> &mut Self {
        self.list(name, items, |out, item| object(out, |object| fill(object, item)))
    }

    /// A list of strings.
    pub fn texts<T: AsRef<[u8]>>(&mut self, name: &'static str, items: impl IntoIterator<Item = T>) -> &mut Self {
        self.list(name, items, |out, item| string(item.as_ref(), out))
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Vec<u8>, T),
    ) -> &mut Self {
        self.name(name);
        let mut next = b'[';
        for item in items {
            self.out.push(next);
            write(self.out, item);
            next = b',';
        }
        if next == b'[' {
            self.out.push(b'[');
        }
        self.out.push(b']');
        self
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, value: bool) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// A number.
    pub fn number(&mut self, name: &'static str, value: impl Into<i128>) -> &mut Self {
        self.name(name);
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "{}", value.into());
        self
    }

    /// Ends the object and the line.
    pub fn close(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

fn string(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // Nearly every address is plain ASCII; without a way out of the loop eight or more octets are looked at together.
    if value.iter().fold(true, |plain, octet| plain & is_plain(*octet)) {
        out.extend_from_slice(value);
        return out.push(b'"');
    }
    for chunk in value.utf8_chunks() {
        escape(chunk.valid(), out);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

const fn is_plain(octet: u8) -> bool {
    octet >= b' ' && octet < 0x7f && octet != b'"' && octet != b'\\'
}

fn escape(text: &str, out: &mut Vec<u8>) {
    let mut plain = 0;
    for (at, special) in text.match_indices(|it: char| it.is_control() || matches!(it, '"' | '\\')) {
        out.extend_from_slice(text.get(plain..at).unwrap_or_default().as_bytes());
        plain = at + special.len();
        match special {
            "\n" => out.extend_from_slice(b"\\n"),
            "\r" => out.extend_from_slice(b"\\r"),
            "\t" => out.extend_from_slice(b"\\t"),
            "\"" => out.extend_from_slice(b"\\\""),
            "\\" => out.extend_from_slice(b"\\\\"),
            // Control characters end at U+009F. Writing to a Vec cannot fail.
            _ => special.chars().for_each(|it| drop(write!(out, "\\u{:04x}", u32::from(it)))),
        }
    }
    out.extend_from_slice(text.get(plain..).unwrap_or_default().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &[u8]) -> String {
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        object.text("a", value);
        object.close();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_octet_reads_back_as_the_lossy_text() {
        for octet in 0..=255_u8 {
            for value in [&[b'x', octet, b'y'][..], &[octet]] {
                let line = written(value);
                assert!(!line.trim_end().contains(char::is_control), "{octet}");
                let read: serde_json::Value = serde_json::from_str(&line).unwrap();
                assert_eq!(read["a"], String::from_utf8_lossy(value).as_ref(), "{octet}");
            }
        }
        let mixed = "a\"b\\c\u{1}\u{7f}ü\u{10ffff}\n".as_bytes();
        let read: serde_json::Value = serde_json::from_str(&written(mixed)).unwrap();
        assert_eq!(read["a"].as_str().unwrap().as_bytes(), mixed);
    }

    #[test]
    fn the_usual_specials_are_short() {
        assert_eq!(written(b"a\n\r\t\"\\b"), concat!(r#"{"a":"a\n\r\t\"\\b"}"#, "\n"));
    }

    #[test]
    fn no_control_character_is_left() {
        let all: String = (0..=0xff_u8).map(char::from).collect();
        let line = written(all.as_bytes());
        assert!(!line.trim_end().chars().any(char::is_control), "{line}");
        assert!(line.contains("\\u0000") && line.contains("\\u007f\\u0080") && line.contains("\\u009f\u{a0}"));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["a"], all);
    }

    #[test]
    fn names_keep_their_order_and_absent_values_are_null() {
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        object.text("z", b"1").optional("y", None).flag("x", false).number("w", 7_u32);
        object.plain("v", Some('4')).plain("u", None::<char>);
        object.close();
        let expected = "{\"z\":\"1\",\"y\":null,\"x\":false,\"w\":7,\"v\":\"4\",\"u\":null}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn objects_and_lists_nest_also_empty_ones() {
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        object.object("a", Some(|inner: &mut Object<'_>| _ = inner.number("b", -7).texts("c", ["x", "\""])));
        object.object("d", Some(|_: &mut Object<'_>| ())).object("e", None::<fn(&mut Object<'_>)>);
        object.objects("f", [1, 2], |inner, item| _ = inner.number("g", item)).texts("h", [""; 0]);
        object.close();
        let expected = r#"{"a":{"b":-7,"c":["x","\""]},"d":{},"e":null,"f":[{"g":1},{"g":2}],"h":[]}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }

    #[test]
    fn what_is_no_utf8_becomes_the_replacement_character() {
        assert_eq!(written(b"a\xff\xfeb"), "{\"a\":\"a\u{fffd}\u{fffd}b\"}\n");
        assert_eq!(written(b"\xe2\x82"), "{\"a\":\"\u{fffd}\"}\n");
    }
}
