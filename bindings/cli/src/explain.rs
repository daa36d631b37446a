//! `backstop explain`: in words what an address is; with a key ring, where there is one, also the verdict.

use backstop::explain::explain;
use backstop::keyfile;

use crate::args;
use crate::ring;
use crate::stop::{Outcome, Run};
use crate::when::Clock;

pub(crate) fn run(args: &args::Explain) -> Run {
    // A ring that nobody named and nobody made is no trouble here: shapes and days can be told without one.
    let default = ring::path(&args.keys).is_ok_and(|path| keyfile::is_there(&path));
    let ring = if default || ring::is_named(&args.keys) { Some(ring::load(&args.keys)?) } else { None };
    let text = explain(ring.as_ref(), args.address.as_encoded_bytes(), Clock(args.at.at).day()?);
    crate::output::print(text.as_bytes())?;
    Ok(Outcome::Done)
}
