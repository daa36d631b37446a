//! libbackstop: the C face of backstop. It holds no rules of its own.
//!
//! | file | group of functions |
//! |---|---|
//! | `status.rs` | versions, result codes and their texts |
//! | `text.rs` | the texts of the core as C has them, at compile time |
//! | `gate.rs` | what every function passes: the panic gate, the NULL gate, text in and out, structures that grow |
//! | `keyring.rs`, `keystore.rs` | keys: from text, from a file, from a file that changes (`swap.rs`) |
//! | `tag.rs`, `srs.rs`, `mark.rs` | sign, verify, strip, explain; forward and reverse; marks |
//! | `many.rs` | sign and verify, many addresses in one call |
//! | `verdict.rs`, `policy.rs`, `policy_names.rs`, `rule.rs` | the structures that answers come in, and the decisions |
//! | `inspection.rs`, `inspection_names.rs` | what a returned message is, asked by index; its numbers and words |
//! | `exim/` | the same verbs as functions for Exim's `${dlfunc}` |
//!
//! `include/backstop.h` is made from the comments and signatures here by `bindings/c/header`; the rules that hold for
//! all functions stand in `header/manual.h` and are not repeated. Every function is one call of `gate`, in which all
//! pointers are checked before anything else is done. A signature, a number and a published size never change; what is
//! new gets a new name, or stands at the end of a structure.

#![allow(non_camel_case_types, reason = "these are the names of C")]
#![allow(clippy::missing_safety_doc, reason = "header/manual.h says once for all what a caller must keep")]

#[macro_use]
mod text;

mod exim;
mod gate;
mod inspection;
mod inspection_names;
mod keyring;
mod keystore;
mod many;
mod mark;
mod policy;
mod policy_names;
mod rule;
mod srs;
mod status;
mod swap;
mod tag;
mod verdict;

pub use crate::exim::*;
pub use crate::inspection::*;
pub use crate::inspection_names::*;
pub use crate::keyring::*;
pub use crate::keystore::*;
pub use crate::many::*;
pub use crate::mark::*;
pub use crate::policy::*;
pub use crate::policy_names::*;
pub use crate::rule::*;
pub use crate::srs::*;
pub use crate::status::*;
pub use crate::tag::*;
pub use crate::verdict::*;
