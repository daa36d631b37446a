//! Many tags at once: messages are gathered, and hashed beside each other in the lanes of the widest vectors there are.
//!
//! | engine | asks the processor for | lanes |
//! |---|---|---|
//! | `avx512` | AVX-512 F and BW | 16 |
//! | `avx2` | AVX2 | 8 |
//! | `pair` | SHA, SSSE3, SSE4.1 | 2 streams, interleaved |
//! | `plain` | nothing | 1, by the hash crates |
//!
//! The only folder that may hold `unsafe`: at the calls into code for a processor that was asked before, and where vectors
//! are read from memory and written to it. It computes tags and nothing else: what is hashed, with which key, and what a
//! tag means is for `batv`, comparing for `mac.rs`.
//!
//! A message of more than two blocks, 119 octets, is not taken: it goes the way of a single one.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, unused_variables, reason = "what gathers messages for lanes has no engine there")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod engine;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod pair;

pub use self::engine::Engine;
use crate::address::Mailbox;
use crate::mac::{BLOCK, Keyed, LENGTH_AT, Mac, Text};
use crate::{sixteen, srs};

/// How many messages are gathered before they are hashed.
pub(crate) const JOBS: usize = 64;
/// The most blocks of one message, which then has at most 119 octets.
const BLOCKS: usize = 2;
/// The longest text that fits behind a stamp of four octets into one block.
const SHORT: usize = 51;
/// The hashes, each with every number of blocks.
const CLASSES: usize = 2 * BLOCKS;

/// What an address of at most 64 octets is at first sight.
///
/// Usual are letters, digits and `-./=` before the `@`, and behind it labels of letters, digits and hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Octets of the local part; 0 where the address is for the parser.
    local: u8,
    /// Whether there is no `=`.
    is_plain: bool,
}

impl Look {
    /// Nothing is known of the address.
    pub(crate) const NOTHING: Look = Look { local: 0, is_plain: false };

    /// The mailbox, if this was the look at these octets and they are a usual address.
    #[inline(always)]
    pub(crate) fn mailbox(self, address: &[u8]) -> Option<Mailbox<'_>> {
        (self.local > 0).then(|| Mailbox::known(address, usize::from(self.local), self.is_plain))
    }
}

/// A usual address whose message was gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    /// Octets of the local part; 0 where nothing was gathered.
    local: u8,
    job: u8,
}

impl Usual {
    /// Nothing was gathered.
    pub(crate) const NOTHING: Usual = Usual { local: 0, job: 0 };

    /// Octets of the local part, and where the tag will be found.
    #[inline(always)]
    pub(crate) const fn found(self) -> Option<(u8, Ticket)> {
        if self.local > 0 { Some((self.local, Ticket(self.job))) } else { None }
    }
}

/// A message in whole blocks.
///
/// Aligned so that no vector of 64 octets lies across two lines of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Blocks([u8; BLOCKS * BLOCK]);

impl Blocks {
    const EMPTY: Blocks = Blocks([0; BLOCKS * BLOCK]);

    /// One of the blocks.
    #[inline(always)]
    fn block(&self, number: usize) -> Option<&[u8; BLOCK]> {
        self.0.as_chunks().0.get(number)
    }

    /// The first blocks.
    #[inline(always)]
    fn first(&self, count: usize) -> &[[u8; BLOCK]] {
        self.0.as_chunks().0.get(..count).unwrap_or_default()
    }
}

/// The text of a message on its way into blocks.
pub(crate) struct Draft<'b> {
    octets: &'b mut [u8; BLOCKS * BLOCK],
    /// Octets of text, also of that for which there was no room.
    used: usize,
}

impl Draft<'_> {
    /// Pads as if one block, that of the key, went before; how many blocks there are now, `None` if they did not suffice.
    #[inline(always)]
    fn pad(self) -> Option<usize> {
        let blocks = (self.used + 1 + BLOCK - LENGTH_AT).div_ceil(BLOCK);
        let end = blocks * BLOCK;
        let bits = u64::try_from((BLOCK + self.used) * 8).unwrap_or(0);
        *self.octets.get_mut(self.used)? = 0x80;
        self.octets.get_mut(end - BLOCK + LENGTH_AT..end)?.copy_from_slice(&bits.to_be_bytes());
        Some(blocks)
    }
}

impl Text for Draft<'_> {
    #[inline(always)]
    fn append(&mut self, bytes: &[u8], put: impl Fn(&mut [u8], &[u8])) -> &mut Self {
        let end = self.used.saturating_add(bytes.len());
        if let Some(room) = self.octets.get_mut(self.used..end) {
            put(room, bytes);
        }
        self.used = end;
        self
    }
}

/// Which jobs are of one class, in their order.
#[derive(Clone, Copy)]
struct Class {
    jobs: [u8; JOBS],
    count: usize,
}

/// Messages that wait to be hashed, at most [`JOBS`].
pub(crate) struct Jobs<'r> {
    blocks: [Blocks; JOBS],
    keys: [Option<&'r Keyed>; JOBS],
    /// The first words of each tag, once it is there.
    tags: [[u32; 3]; JOBS],
    count: usize,
    classes: [Class; CLASSES],
}

/// Where the tag of a message will be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u8);

impl Ticket {
    /// Where the tag of the first message will be found.
    pub(crate) const FIRST: Ticket = Ticket(0);
}

/// Messages of one class, as many as an engine hashes at once.
struct Group<'g, const LANES: usize> {
    keys: [&'g Keyed; LANES],
    messages: [&'g Blocks; LANES],
    /// Of each message.
    blocks: usize,
}

impl<'r> Jobs<'r> {
    #[inline(always)]
    pub(crate) const fn new() -> Jobs<'r> {
        Jobs {
            blocks: [Blocks::EMPTY; JOBS],
            keys: [None; JOBS],
            tags: [[0; 3]; JOBS],
            count: 0,
            classes: [Class { jobs: [0; JOBS], count: 0 }; CLASSES],
        }
    }

    /// For how many messages there is room.
    #[inline(always)]
    pub(crate) const fn room(&self) -> usize {
        JOBS.saturating_sub(self.count)
    }

    /// Gathers a message that `write` writes; `None` if it is too long or there is no room, and then nothing is gathered.
    #[inline(always)]
    pub(crate) fn add(&mut self, keyed: &'r Keyed, write: impl FnOnce(&mut Draft<'_>)) -> Option<Ticket> {
        let blocks = self.blocks.get_mut(self.count)?;
        *blocks = Blocks::EMPTY;
        let mut draft = Draft { octets: &mut blocks.0, used: 0 };
        write(&mut draft);
        let blocks = draft.pad()?;
        self.count_in(keyed, blocks)
    }

    /// Gathers the message of a stamp and each usual address without `=` and with at most `longest` octets before the `@`,
    /// in one go, and only before anything else is gathered.
    #[inline(always)]
    pub(crate) fn add_usual(
        &mut self,
        engine: Engine,
        keyed: &'r Keyed,
        stamp: [u8; 4],
        longest: usize,
        addresses: &[&[u8]],
        found: &mut [Usual],
    ) {
        if self.count > 0 {
            return;
        }
        let count = engine.gather(addresses, stamp, longest, &mut self.blocks, found);
        let Some(class) = self.classes.get_mut(class_of(keyed.mac(), 1)) else { return };
        for ((number, key), job) in (0..).zip(self.keys.iter_mut().take(count)).zip(&mut class.jobs) {
            (*key, *job) = (Some(keyed), number);
        }
        (self.count, class.count) = (count, count);
    }

    /// The text of a message behind its stamp, and what follows it.
    #[inline(always)]
    pub(crate) fn text(&self, ticket: Ticket) -> Option<&[u8; BLOCK - 4]> {
        self.blocks.get(usize::from(ticket.0))?.0.get(4..)?.first_chunk()
    }

    /// Like [`Jobs::add`], a stamp and a short text; `None` also if the engine writes no faster than `add` does.
    #[inline(always)]
    pub(crate) fn add_short(
        &mut self,
        engine: Engine,
        keyed: &'r Keyed,
        stamp: [u8; 4],
        text: &[u8],
        fold: bool,
    ) -> Option<Ticket> {
        let (block, _) = self.blocks.get_mut(self.count)?.0.split_first_chunk_mut()?;
        if engine.write_short(block, stamp, text, fold) { self.count_in(keyed, 1) } else { None }
    }

    /// Takes the message in the next blocks.
    #[inline(always)]
    fn count_in(&mut self, keyed: &'r Keyed, blocks: usize) -> Option<Ticket> {
        *self.keys.get_mut(self.count)? = Some(keyed);
        let class = self.classes.get_mut(class_of(keyed.mac(), blocks))?;
        let number = u8::try_from(self.count).ok()?;
        *class.jobs.get_mut(class.count)? = number;
        class.count += 1;
        self.count += 1;
        Some(Ticket(number))
    }

    /// The tag of a message that was hashed: its first octets.
    #[inline(always)]
    pub(crate) fn tag(&self, ticket: Ticket) -> [u8; 12] {
        let [a, b, c] = self.tags.get(usize::from(ticket.0)).copied().unwrap_or_default().map(u32::to_be_bytes);
        let mut tag = [0; 12];
        for (to, from) in tag.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c]) {
            *to = from;
        }
        tag
    }

    /// Forgets all messages.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        for class in &mut self.classes {
            class.count = 0;
        }
    }

    /// Hashes all messages.
    #[inline(never)]
    pub(crate) fn run(&mut self, engine: Engine) {
        for mac in [Mac::Sha1, Mac::Sha256] {
            for blocks in 1..=BLOCKS {
                let Some(class) = self.classes.get(class_of(mac, blocks)).copied() else { continue };
                engine.run(mac, self, class.jobs.get(..class.count).unwrap_or_default(), blocks);
            }
        }
    }

    /// Hashes these jobs, so many at a time, and returns those that are too few for it to pay.
    #[inline(always)]
    fn run_groups<'j, const LANES: usize>(
        &mut self,
        jobs: &'j [u8],
        blocks: usize,
        least: usize,
        hash: impl Fn(&Group<'_, LANES>) -> [[u32; LANES]; 3],
    ) -> &'j [u8] {
        let mut rest = jobs;
        while rest.len() >= least {
            let (now, later) = rest.split_at_checked(LANES).unwrap_or((rest, &[]));
            let Some(group) = self.group(now, blocks) else { break };
            let [a, b, c] = hash(&group);
            for (((&job, a), b), c) in now.iter().zip(a).zip(b).zip(c) {
                if let Some(tag) = self.tags.get_mut(usize::from(job)) {
                    *tag = [a, b, c];
                }
            }
            rest = later;
        }
        rest
    }

    /// The jobs as a group; where there are too few of them, the first stands in the lanes that are left.
    #[inline(always)]
    fn group<const LANES: usize>(&self, jobs: &[u8], blocks: usize) -> Option<Group<'_, LANES>> {
        let job = |&job: &u8| Some(((*self.keys.get(usize::from(job))?)?, self.blocks.get(usize::from(job))?));
        let (key, message) = job(jobs.first()?)?;
        let mut group = Group { keys: [key; LANES], messages: [message; LANES], blocks };
        for ((to_key, to_message), number) in group.keys.iter_mut().zip(&mut group.messages).zip(jobs) {
            (*to_key, *to_message) = job(number)?;
        }
        Some(group)
    }

    /// Hashes these jobs one by one.
    fn run_single(&mut self, jobs: &[u8], blocks: usize) {
        for job in jobs.iter().map(|&job| usize::from(job)) {
            let tag = self.tags.get_mut(job).zip(self.keys.get(job).copied().flatten()).zip(self.blocks.get(job));
            if let Some(((tag, key), text)) = tag {
                *tag = key.tag_of_blocks(text.first(blocks));
            }
        }
    }
}

#[inline(always)]
const fn class_of(mac: Mac, blocks: usize) -> usize {
    match mac {
        Mac::Sha1 => blocks - 1,
        Mac::Sha256 => BLOCKS + blocks - 1,
    }
}

/// What [`Engine::gather`] is for, on every processor.
#[inline(never)]
fn gather(addresses: &[&[u8]], stamp: [u8; 4], longest: usize, blocks: &mut [Blocks], found: &mut [Usual]) -> usize {
    let mut count = 0;
    for (address, to) in addresses.iter().zip(found) {
        *to = Usual::NOTHING;
        let usual = |look: &sixteen::Look| look.is_plain && look.local <= longest && !srs::is_srs(address);
        let Some(look) = sixteen::look(address).filter(usual) else { continue };
        let Some([message]) = sixteen::blocks(stamp, address, false) else { continue };
        let Some((block, _)) = blocks.get_mut(count).and_then(|blocks| blocks.0.split_first_chunk_mut()) else {
            continue;
        };
        *block = message;
        *to = Usual { local: u8::try_from(look.local).unwrap_or(0), job: u8::try_from(count).unwrap_or(0) };
        count += 1;
    }
    count
}

/// The inner and outer key states of all lanes, a word of all lanes in each array.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
fn gathered<const LANES: usize>(keys: &[&Keyed; LANES]) -> [[[u32; LANES]; 8]; 2] {
    let mut states = [[[0; LANES]; 8]; 2];
    for (lane, key) in keys.iter().enumerate() {
        for (state, words) in states.iter_mut().zip(key.states()) {
            for (to, from) in state.iter_mut().zip(words) {
                if let Some(to) = to.get_mut(lane) {
                    *to = *from;
                }
            }
        }
    }
    states
}
