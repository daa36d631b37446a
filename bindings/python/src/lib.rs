//! The module `backstop._backstop`: the Rust crate for Python, with the same verbs as the C header.
//!
//! `input.rs` takes what Python gives, `error.rs` raises, and one file for each group of verbs calls the core and puts its
//! answer into a frozen object. The package around it is in `python/backstop`, where the type hints are.
//!
//! Built by maturin only. There is no `unsafe` here but what the macros of pyo3 write.

#![forbid(unsafe_code)]

mod error;
mod input;
mod inspection;
mod keys;
mod mark;
mod output;
mod policy;
mod srs;
mod tag;
mod verdict;

use pyo3::pymodule;

/// Signs, verifies and rewrites envelope senders; use it through the package `backstop`.
#[pymodule]
mod _backstop {
    use pyo3::prelude::{Bound, PyModule, PyResult};

    #[pymodule_export]
    use crate::inspection::{Check, Inspection, inspect, may_autorespond, may_bounce};
    #[pymodule_export]
    use crate::keys::{KeyRing, KeyStore};
    #[pymodule_export]
    use crate::mark::{
        Mark, mark_address_of_from, mark_header, mark_message_id, mark_verify_header, mark_verify_message_id,
    };
    #[pymodule_export]
    use crate::policy::{Decision, Policy, Sender};
    #[pymodule_export]
    use crate::srs::{Srs, srs_forward, srs_reverse};
    #[pymodule_export]
    use crate::tag::{Signed, Stripped, explain, sign, sign_many, sign_subaddress, strip, verify, verify_many};
    #[pymodule_export]
    use crate::verdict::Verdict;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "as Python names it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Makes now what is made once: a child of a fork would wait for ever for what a thread was just making. These are the
    /// tables of inspection, and the classes of Python that pyo3 looks up when they are first needed.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        drop(backstop::bounce::evidence::rows());
        crate::error::class(module.py())?;
        crate::input::find_types(module.py())
    }
}
