//! The one error type: misuse, bad keys, bad configuration and input that cannot be parsed.
//!
//! A verdict is never an error. Every message is one sentence that says what is wrong, where, and, where a remedy is not
//! obvious, what to do. No message ever repeats a column of a key ring, since a slip of the pen may put a secret there.

use alloc::string::String;

/// What went wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that are no address; `offset` counts octets from the start of the input.
    #[error("octet {offset} of the address: {problem}")]
    Address {
        /// Where the parser stopped, in octets from the start of the input.
        offset: usize,
        /// What it found there.
        problem: AddressProblem,
    },
    /// A recipient was wanted and the null path was given.
    #[error("the null path `<>` is no recipient")]
    NullRecipient,
    /// A time before 1970 or after the year 9999.
    #[error("{0} is no time between 1970 and 9999; give unix seconds, not milliseconds")]
    Time(i64),
    /// A date that is not `YYYY-MM-DD` or not in the calendar.
    #[error("not a date between 1970-01-01 and 9999-12-31; write it as 2026-11-21")]
    Date,
    /// A line of a key ring that cannot be used.
    #[error("line {line} of the key ring: {message}")]
    Ring {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong and what to do.
        message: String,
    },
    /// An edit that would leave the key ring worse than it was.
    #[error("{0}")]
    Edit(String),
    /// A domain pattern that cannot be used.
    #[error("domain pattern {position}: {problem}")]
    Pattern {
        /// Which pattern of the list, counted from 1.
        position: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An entry of one of a policy's lists that cannot be used.
    #[error("`{entry}` {problem}")]
    Entry {
        /// The entry as it was written.
        entry: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// A separator that SRS does not know.
    #[error("the SRS separator must be `=`, `+` or `-`")]
    Separator,
    /// The left side of a Message-ID that is no dot-atom, or too long.
    #[error("the left side of a Message-ID must be 1 to 700 letters, digits, dots and the like, without quotes")]
    MessageId,
    /// An option outside its range.
    #[error("{name} must be {low} to {high}")]
    Range {
        /// The option's name.
        name: &'static str,
        /// The least value that is allowed.
        low: usize,
        /// The greatest value that is allowed.
        high: usize,
    },
    /// A policy that cannot be used.
    #[error("line {line} of the policy: {message}")]
    Policy {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong and what to do.
        message: String,
    },
    /// A key file that cannot be read, trusted or written.
    #[cfg(feature = "std")]
    #[error("{path}: {message}")]
    File {
        /// The file as it was named.
        path: String,
        /// What is wrong and what to do.
        message: String,
    },
}

/// Why bytes are no address; each is one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressProblem {
    /// `<` without the closing `>` at the end.
    #[error("`<` is not closed by a `>` at the end")]
    Unclosed,
    /// There is no `@`.
    #[error("there is no `@`; write local-part@domain")]
    NoAt,
    /// Nothing stands before the `@`.
    #[error("the local part is empty")]
    EmptyLocal,
    /// Nothing stands after the `@`.
    #[error("the domain is empty")]
    EmptyDomain,
    /// An octet that a local part holds only in quotes.
    #[error("this octet may stand in a local part only inside quotes")]
    LocalOctet,
    /// A quoted local part that does not end in `"@`.
    #[error("a quoted local part must end in `\"@`")]
    Quote,
    /// An octet that no domain holds.
    #[error("this octet may not stand in a domain")]
    DomainOctet,
    /// Two dots in a row, or a dot at an end of the domain.
    #[error("a label of the domain is empty")]
    EmptyLabel,
    /// A bracketed literal that is neither IPv4, `IPv6:` nor tagged.
    #[error("this is no address literal; write [192.0.2.1] or [IPv6:2001:db8::1]")]
    Literal,
    /// A source route that is not `@a,@b:`.
    #[error("this is no source route; write <@a.example,@b.example:user@domain>")]
    Route,
    /// Bytes above 127 that are not UTF-8.
    #[error("this is not UTF-8")]
    Utf8,
    /// A local part above 64 octets.
    #[error("the local part is longer than 64 octets")]
    LongLocal,
    /// A domain above 255 octets.
    #[error("the domain is longer than 255 octets")]
    LongDomain,
    /// An address above 254 octets.
    #[error("the address is longer than 254 octets")]
    LongAddress,
}
