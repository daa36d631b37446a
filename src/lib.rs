#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "bulk"), forbid(unsafe_code))]
#![cfg_attr(feature = "bulk", deny(unsafe_code))]
#![cfg_attr(not(any(test, feature = "std")), no_std)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::cast_possible_truncation,
        reason = "tests fail by panicking"
    )
)]

extern crate alloc;

mod address;
pub mod batv;
#[cfg(feature = "bounce")]
pub mod bounce;
#[cfg(feature = "bulk")]
#[doc(hidden)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "vectors are processor features that must have been asked for")
)]
pub mod bulk;
mod day;
mod domains;
mod encode;
mod error;
pub mod explain;
#[cfg(feature = "bounce")]
#[doc(hidden)]
pub mod json;
mod key;
#[cfg(feature = "std")]
pub mod keyfile;
#[cfg(feature = "std")]
pub mod keystore;
mod mac;
pub mod mark;
pub mod policy;
#[cfg(feature = "policy-file")]
#[doc(hidden)]
pub mod settings;
mod sixteen;
pub mod srs;
mod verdict;
mod words;

pub use crate::address::{Address, MAX_ADDRESS, MAX_DOMAIN, MAX_LOCAL, Mailbox, Path, Stripped};
pub use crate::batv::Form;
pub use crate::day::Day;
pub use crate::domains::Domains;
pub use crate::error::{AddressProblem, Error};
pub use crate::key::{Finding, Fingerprint, Key, KeyId, KeyRing, NewKey, Secret, Use};
pub use crate::mac::Mac;
pub use crate::verdict::{Foreign, Lapse, Malformed, Proof, Signed, UNPARSABLE, Unsigned, Verdict};
