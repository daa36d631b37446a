//! Which code hashes many messages: asked of the processor once, or forced by a test.

use super::{Blocks, Jobs, Look, Usual};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, pair};
use crate::mac::{BLOCK, Mac};

/// Code for one kind of processor. All that stand in an [`Engine`] were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Pair,
    Plain,
}

impl Kind {
    /// Whether the processor has what it needs.
    #[inline]
    fn is_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Kind::Pair => {
                is_x86_feature_detected!("sha")
                    && is_x86_feature_detected!("ssse3")
                    && is_x86_feature_detected!("sse4.1")
            }
            Kind::Plain => true,
        }
    }
}

/// What hashes many messages on this machine; made only for what the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engine {
    sha1: Kind,
    sha256: Kind,
}

impl Engine {
    /// The names of all engines, the widest first.
    pub const NAMES: [&'static str; 4] = ["avx512", "avx2", "pair", "plain"];

    /// The fastest engine of this processor for each hash.
    #[inline]
    pub fn best() -> Engine {
        let first = |kinds: &[Kind]| kinds.iter().copied().find(|kind| kind.is_here()).unwrap_or(Kind::Plain);
        #[cfg(target_arch = "x86_64")]
        // Eight lanes of SHA-256 take longer than two streams of SHA instructions.
        return Engine {
            sha1: first(&[Kind::Avx512, Kind::Avx2, Kind::Pair]),
            sha256: first(&[Kind::Avx512, Kind::Pair, Kind::Avx2]),
        };
        #[cfg(not(target_arch = "x86_64"))]
        Engine { sha1: first(&[]), sha256: first(&[]) }
    }

    /// The engine of this name for both hashes; `None` if there is none or the processor lacks what it needs.
    #[inline]
    pub fn named(name: &str) -> Option<Engine> {
        let kind = match name {
            #[cfg(target_arch = "x86_64")]
            "avx512" => Kind::Avx512,
            #[cfg(target_arch = "x86_64")]
            "avx2" => Kind::Avx2,
            #[cfg(target_arch = "x86_64")]
            "pair" => Kind::Pair,
            "plain" => Kind::Plain,
            _ => return None,
        };
        kind.is_here().then_some(Engine { sha1: kind, sha256: kind })
    }

    /// Looks at some addresses, if this engine reads them faster than the parser.
    #[inline(always)]
    pub(crate) fn look(self, addresses: &[&[u8]], looks: &mut [Look]) {
        match self.sha1 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind was asked for, so the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::look(addresses, looks) },
            _ => {}
        }
    }

    /// Writes the messages of a stamp and each usual address of at most [`super::SHORT`] octets without `=`, with at most
    /// `longest` before the `@`, one after the other, and says how many there were.
    #[inline(always)]
    pub(super) fn gather(
        self,
        addresses: &[&[u8]],
        stamp: [u8; 4],
        longest: usize,
        blocks: &mut [Blocks],
        found: &mut [Usual],
    ) -> usize {
        match self.sha1 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::gather(addresses, stamp, longest, blocks, found) },
            _ => super::gather(addresses, stamp, longest, blocks, found),
        }
    }

    /// Writes the one block of a stamp and a text of at most [`super::SHORT`] octets, folded or as it is; says whether it
    /// did.
    #[inline(always)]
    pub(super) fn write_short(self, block: &mut [u8; BLOCK], stamp: [u8; 4], text: &[u8], fold: bool) -> bool {
        match self.sha1 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::write_short(block, stamp, text, fold) },
            _ => false,
        }
    }

    /// Copies at most 64 octets, with any after them; says whether it did.
    #[inline(always)]
    pub(crate) fn copy_short(self, room: &mut [u8; BLOCK], octets: &[u8]) -> bool {
        match self.sha1 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::copy_short(room, octets) },
            _ => false,
        }
    }

    /// Hashes these jobs, of this hash and so many blocks.
    pub(super) fn run(self, mac: Mac, all: &mut Jobs<'_>, jobs: &[u8], blocks: usize) {
        let kind = match mac {
            Mac::Sha1 => self.sha1,
            Mac::Sha256 => self.sha256,
        };
        let rest = match (kind, mac) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            (Kind::Avx512, Mac::Sha1) => all.run_groups(jobs, blocks, 4, |group| unsafe { avx512::sha1(group) }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            (Kind::Avx512, Mac::Sha256) => all.run_groups(jobs, blocks, 7, |group| unsafe { avx512::sha256(group) }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX2.
            (Kind::Avx2, Mac::Sha1) => all.run_groups(jobs, blocks, 5, |group| unsafe { avx2::sha1(group) }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX2.
            (Kind::Avx2, Mac::Sha256) => all.run_groups(jobs, blocks, 5, |group| unsafe { avx2::sha256(group) }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has SHA, SSSE3 and SSE4.1.
            (Kind::Pair, Mac::Sha1) => all.run_groups(jobs, blocks, 2, |group| unsafe { pair::sha1(group) }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has SHA, SSSE3 and SSE4.1.
            (Kind::Pair, Mac::Sha256) => all.run_groups(jobs, blocks, 2, |group| unsafe { pair::sha256(group) }),
            (Kind::Plain, _) => jobs,
        };
        all.run_single(rest, blocks);
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::mac::Keyed;

    #[test]
    fn each_name_is_the_engine_that_the_processor_has() {
        for name in Engine::NAMES {
            let is_here = match name {
                "avx512" => is_x86_feature_detected!("avx512bw"),
                "avx2" => is_x86_feature_detected!("avx2"),
                "pair" => is_x86_feature_detected!("sha"),
                _ => true,
            };
            assert_eq!(Engine::named(name).is_some(), is_here, "{name}");
        }
        assert_eq!(Engine::named("avx"), None);
    }

    #[test]
    fn only_avx512_reads_and_writes_faster_than_the_parser() {
        for (name, engine) in Engine::NAMES.into_iter().filter_map(|name| Some((name, Engine::named(name)?))) {
            let (mut looks, mut block) = ([Look::NOTHING], [0; BLOCK]);
            engine.look(&[b"alice@example.com"], &mut looks);
            let is_fast = name == "avx512";
            assert_eq!(looks[0].mailbox(b"alice@example.com").is_some(), is_fast, "{name}");
            assert_eq!(engine.write_short(&mut block, *b"0123", b"alice@example.com", false), is_fast, "{name}");
            assert_eq!(engine.copy_short(&mut block, b"alice@example.com"), is_fast, "{name}");
            let (keyed, mut jobs) = (Keyed::new(Mac::Sha1, b"key"), Jobs::new());
            assert_eq!(jobs.add_short(engine, &keyed, *b"0123", b"alice", false).is_some(), is_fast, "{name}");
        }
    }
}
