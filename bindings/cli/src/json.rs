//! One JSON object a line, written by hand into the output buffer: no allocation, keys in the order of writing.
//!
//! Text is escaped as RFC 8259 demands. Octets that are not UTF-8 come out as U+FFFD, one for each piece that
//! [`<[u8]>::utf8_chunks`] finds, since JSON has no other way to hold them.

use std::fmt::Display;
use std::io::Write as _;

/// An object under construction; [`Object::close`] ends it and its line.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    next: u8,
}

impl<'a> Object<'a> {
    /// Begins an object at the end of the buffer.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        Object { out, next: b'{' }
    }

    fn name(&mut self, name: &'static str) {
        self.out.extend([self.next, b'"']);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.next = b',';
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str, value: &[u8]) -> &mut Self {
        self.name(name);
        string(value, self.out);
        self
    }

    /// A string or null.
    pub(crate) fn optional(&mut self, name: &'static str, value: Option<&[u8]>) -> &mut Self {
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
    pub(crate) fn plain(&mut self, name: &'static str, value: Option<impl Display>) -> &mut Self {
        let Some(value) = value else { return self.optional(name, None) };
        self.name(name);
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "\"{value}\"");
        self
    }

    /// An object or null; `fill` writes what is in it.
    pub(crate) fn object(&mut self, name: &'static str, fill: Option<impl FnOnce(&mut Object<'_>)>) -> &mut Self {
        let Some(fill) = fill else { return self.optional(name, None) };
        self.name(name);
        nested(self.out, fill);
        self
    }

    /// A list of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(&mut Object<'_>, T),
    ) -> &mut Self {
        self.list(name, items, |out, item| nested(out, |object| fill(object, item)))
    }

    /// A list of strings.
    pub(crate) fn texts<T: AsRef<[u8]>>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
    ) -> &mut Self {
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
    pub(crate) fn flag(&mut self, name: &'static str, value: bool) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &'static str, value: impl Into<i128>) -> &mut Self {
        self.name(name);
        // Writing to a Vec cannot fail.
        let _ = write!(self.out, "{}", value.into());
        self
    }

    /// Ends the object and the line.
    pub(crate) fn close(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

fn nested(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::open(out);
    fill(&mut object);
    if object.next == b'{' {
        object.out.push(b'{');
    }
    object.out.push(b'}');
}

fn string(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // Nearly every address is plain ASCII; without a way out of the loop eight or more octets are looked at together.
    if value.iter().fold(true, |plain, octet| plain & is_plain(*octet)) {
        out.extend_from_slice(value);
        return out.push(b'"');
    }
    for chunk in value.utf8_chunks() {
        escape(chunk.valid().as_bytes(), out);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

const fn is_plain(octet: u8) -> bool {
    octet >= b' ' && octet < 0x80 && octet != b'"' && octet != b'\\'
}

fn escape(mut text: &[u8], out: &mut Vec<u8>) {
    let special = |octet: &u8| *octet < b' ' || matches!(octet, b'"' | b'\\');
    while let Some((plain, [octet, rest @ ..])) = text.iter().position(special).and_then(|at| text.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        match octet {
            b'"' | b'\\' => out.extend([b'\\', *octet]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            // Writing to a Vec cannot fail.
            _ => drop(write!(out, "\\u{octet:04x}")),
        }
        text = rest;
    }
    out.extend_from_slice(text);
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
            let value = [b'x', octet, b'y'];
            let read: serde_json::Value = serde_json::from_str(&written(&value)).unwrap();
            assert_eq!(read["a"], String::from_utf8_lossy(&value).as_ref(), "{octet}");
        }
        let mixed = "a\"b\\c\u{1}\u{7f}ü\u{10ffff}\n".as_bytes();
        let read: serde_json::Value = serde_json::from_str(&written(mixed)).unwrap();
        assert_eq!(read["a"].as_str().unwrap().as_bytes(), mixed);
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
