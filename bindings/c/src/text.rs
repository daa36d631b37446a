//! Texts of the core as C has them: with a NUL at their end, made at compile time, so that there is one copy of each.

/// The text with a NUL after it; `N` is its length and one.
pub(crate) const fn terminated<const N: usize>(text: &str) -> [u8; N] {
    let mut octets = [0; N];
    let (room, _) = octets.split_at_mut(text.len());
    room.copy_from_slice(text.as_bytes());
    octets
}

/// A constant `&str` as a `&'static CStr`.
macro_rules! c_text {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const OCTETS: [u8; TEXT.len() + 1] = $crate::text::terminated(TEXT);
        match core::ffi::CStr::from_bytes_with_nul(&OCTETS) {
            Ok(text) => text,
            Err(_) => c"",
        }
    }};
}

/// Functions over one table, so that numbers and words cannot part: the number of a value, which the compiler checks to
/// be complete, and for a number one text of the value, by the name of the method that has it.
macro_rules! numbers {
    ($number:ident($type:ty), { $($word:ident: $text:ident),* }, $entries:tt) => {
        numbers!(@number $number $type, $entries);
        $(numbers!(@word $word $text, $entries);)*
    };
    (@number $number:ident $type:ty, { $($code:ident => $value:path,)* }) => {
        pub(crate) const fn $number(value: $type) -> i32 {
            match value {
                $($value => $code,)*
            }
        }
    };
    (@word $word:ident $text:ident, { $($code:ident => $value:path,)* }) => {
        const fn $word(number: i32) -> Option<&'static core::ffi::CStr> {
            match number {
                $($code => Some(c_text!($value.$text())),)*
                _ => None,
            }
        }
    };
}
