//! Which code hashes many messages: asked of the processor once, or forced by a test.

use super::Jobs;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::mac::{BLOCK, Mac};

/// Code for one kind of processor. The variants for vectors exist only where the processor was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Plain,
}

/// What hashes many messages on this machine; made only for what the processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engine {
    kind: Kind,
}

impl Engine {
    /// The names of all engines, the widest first.
    pub const NAMES: [&'static str; 3] = ["avx512", "avx2", "plain"];

    /// The widest engine of this processor.
    #[inline]
    pub fn best() -> Engine {
        Engine::NAMES.iter().find_map(|name| Engine::named(name)).unwrap_or(Engine { kind: Kind::Plain })
    }

    /// The engine of this name; `None` if there is none or the processor lacks what it needs.
    #[inline]
    pub fn named(name: &str) -> Option<Engine> {
        let kind = match name {
            #[cfg(target_arch = "x86_64")]
            "avx512" if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") => Kind::Avx512,
            #[cfg(target_arch = "x86_64")]
            "avx2" if is_x86_feature_detected!("avx2") => Kind::Avx2,
            "plain" => Kind::Plain,
            _ => return None,
        };
        Some(Engine { kind })
    }

    /// The length of the local part of the usual address of at most 64 octets, and whether it has no `=`; `None` if it is
    /// for the parser, or this engine reads no faster than the parser.
    ///
    /// Usual are letters, digits and `-./=` before the `@`, and behind it labels of letters, digits and hyphens.
    #[inline(always)]
    pub(crate) fn look(self, address: &[u8]) -> Option<(usize, bool)> {
        match self.kind {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::look(address) },
            _ => None,
        }
    }

    /// Writes the one block of a stamp and a text of at most [`super::SHORT`] octets, folded or as it is; says whether it
    /// did.
    #[inline(always)]
    pub(super) fn write_short(self, block: &mut [u8; BLOCK], stamp: [u8; 4], text: &[u8], fold: bool) -> bool {
        match self.kind {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::write_short(block, stamp, text, fold) },
            _ => false,
        }
    }

    /// Copies at most 64 octets, with any after them; says whether it did.
    #[inline(always)]
    pub(crate) fn copy_short(self, room: &mut [u8; BLOCK], octets: &[u8]) -> bool {
        match self.kind {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists only where the processor has AVX-512 F and BW.
            Kind::Avx512 => unsafe { avx512::copy_short(room, octets) },
            _ => false,
        }
    }

    /// Hashes these jobs, of this hash and so many blocks.
    pub(super) fn run(self, mac: Mac, all: &mut Jobs<'_>, jobs: &[u8], blocks: usize) {
        let rest = match (self.kind, mac) {
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
            (Kind::Plain, _) => jobs,
        };
        all.run_single(rest, blocks);
    }
}
