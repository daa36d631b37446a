//! One address in, one line out, in order: from the arguments or, for `-`, from standard input.
//!
//! ```text
//! input = *(line EOL) [line]       EOL = LF / CRLF; the output has LF
//! ```
//!
//! A last line without an end counts, and so does an empty line. Input is read in blocks of [`BLOCK`] octets; what they
//! give is written, at the latest, before the next read, so that a program which writes an address and waits for the
//! answer gets it. An ordinary line allocates nothing, and memory stays as it is however long the stream.
//!
//! A line above [`MAX_LINE`] octets is no address. Where the output shows the input unchanged, all of it is passed on;
//! where it holds more than that (JSON, verdicts), the first [`MAX_LINE`] octets stand for it.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};

use backstop::Day;
use memchr::memchr_iter;

use crate::output;
use crate::stop::Stop;
use crate::when::Clock;

/// How much is read at once.
const BLOCK: usize = 256 * 1024;
/// How many lines a command gets at once, if as many are there.
const LINES: usize = 256;
/// The longest line that is looked at as a whole, in octets.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// What a command does with each address.
pub(crate) trait Verb {
    /// Appends one line for one address.
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>);

    /// Appends one line for each of some addresses, in their order.
    fn lines(&mut self, addresses: &[&[u8]], day: Day, out: &mut Vec<u8>) {
        for address in addresses {
            self.line(address, day, out);
        }
    }

    /// Appends one line for what is no address.
    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>);

    /// Whether [`Verb::unparsable`] writes the input and nothing else.
    fn passes_through(&self) -> bool;
}

/// Runs a command over its arguments, or over standard input where the only one is `-`; `json` says what it writes.
pub(crate) fn run(addresses: &[OsString], json: bool, clock: Clock, verb: &mut impl Verb) -> Result<(), Stop> {
    if addresses == ["-"] {
        return lines(&mut std::io::stdin().lock(), &mut output::lines(json), clock, verb);
    }
    if addresses.iter().any(|address| address == "-") {
        return Err(Stop::trouble("`-` reads all addresses from standard input; give either it or addresses"));
    }
    let day = clock.day()?;
    let mut out = Vec::new();
    for address in addresses {
        verb.line(address.as_encoded_bytes(), day, &mut out);
    }
    let mut output = output::lines(json);
    output.write_all(&out).and_then(|()| output.flush()).map_err(|error| Stop::of_write(&error))
}

/// Runs a command over the lines of a stream.
pub(crate) fn lines(
    input: &mut impl Read,
    output: &mut impl Write,
    clock: Clock,
    verb: &mut impl Verb,
) -> Result<(), Stop> {
    let mut block = vec![0; BLOCK];
    let mut kept = 0;
    let mut lines = Lines { output, verb, out: Vec::with_capacity(2 * BLOCK), long: None };
    loop {
        let read = read(input, block.get_mut(kept..).unwrap_or_default())?;
        let day = clock.day()?;
        let (old, new) = block.get(..kept + read).and_then(|all| all.split_at_checked(kept)).unwrap_or_default();
        let ends = memchr_iter(b'\n', new).map(|end| old.len() + end);
        let all = block.get(..kept + read).unwrap_or_default();
        let mut start = 0;
        let mut waiting = Waiting { lines: [b""; LINES], count: 0 };
        for end in ends {
            lines.take(&mut waiting, all.get(start..end).unwrap_or_default(), day)?;
            start = end + 1;
        }
        lines.finish(&mut waiting, day)?;
        let rest = all.get(start..).unwrap_or_default();
        if read == 0 {
            if !rest.is_empty() || lines.long.is_some() {
                lines.end(rest, day)?;
            }
            return lines.write();
        }
        let taken = lines.part(rest);
        lines.write()?;
        kept = rest.len() - taken;
        let from = all.len() - kept;
        block.copy_within(from..from + kept, 0);
    }
}

fn read(input: &mut impl Read, block: &mut [u8]) -> Result<usize, Stop> {
    loop {
        match input.read(block) {
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let why = backstop::keyfile::in_words(&error);
                return Err(Stop::trouble(format!("standard input cannot be read: {why}")));
            }
        }
    }
}

/// A line that is too long, of which the beginning is done: whether a CR that may belong to its end is held back.
struct Long {
    held_cr: bool,
}

/// Whole lines, without their ends, that a command has not seen yet.
struct Waiting<'b> {
    lines: [&'b [u8]; LINES],
    count: usize,
}

struct Lines<'a, W, V> {
    output: &'a mut W,
    verb: &'a mut V,
    out: Vec<u8>,
    long: Option<Long>,
}

impl<W: Write, V: Verb> Lines<'_, W, V> {
    /// Takes a line that has its end; an ordinary one waits for others.
    fn take<'b>(&mut self, waiting: &mut Waiting<'b>, line: &'b [u8], day: Day) -> Result<(), Stop> {
        let address = line.strip_suffix(b"\r").unwrap_or(line);
        if self.long.is_some() || address.len() > MAX_LINE {
            self.finish(waiting, day)?;
            return self.end(line, day);
        }
        if let Some(room) = waiting.lines.get_mut(waiting.count) {
            *room = address;
            waiting.count += 1;
        }
        if waiting.count == LINES { self.finish(waiting, day) } else { Ok(()) }
    }

    /// Gives the command all lines that wait.
    fn finish(&mut self, waiting: &mut Waiting<'_>, day: Day) -> Result<(), Stop> {
        let lines = waiting.lines.get(..waiting.count).unwrap_or_default();
        self.verb.lines(lines, day, &mut self.out);
        waiting.count = 0;
        if self.out.len() >= BLOCK { self.write() } else { Ok(()) }
    }

    /// Takes the end of a line, which is all of it unless [`Lines::part`] took its beginning.
    fn end(&mut self, line: &[u8], day: Day) -> Result<(), Stop> {
        let mut line = line;
        if self.long.is_none() && line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_LINE {
            self.begin_long(line);
            line = line.get(MAX_LINE..).unwrap_or_default();
        }
        match self.long.take() {
            Some(long) => self.pass(&long, line, true),
            None => self.verb.line(line.strip_suffix(b"\r").unwrap_or(line), day, &mut self.out),
        }
        if self.out.len() >= BLOCK { self.write() } else { Ok(()) }
    }

    /// Takes what there is of a line without its end, if it is too long to wait for more; says how much it took.
    fn part(&mut self, line: &[u8]) -> usize {
        let mut rest = line;
        if self.long.is_none() {
            // One octet more may be the CR of the line's end.
            if line.len() <= MAX_LINE + 1 {
                return 0;
            }
            self.begin_long(line);
            rest = line.get(MAX_LINE..).unwrap_or_default();
        }
        if let Some(long) = self.long.take() {
            self.pass(&long, rest, false);
            let held_cr = if rest.is_empty() { long.held_cr } else { rest.ends_with(b"\r") };
            self.long = Some(Long { held_cr });
        }
        line.len()
    }

    fn begin_long(&mut self, line: &[u8]) {
        self.verb.unparsable(line.get(..MAX_LINE).unwrap_or(line), &mut self.out);
        if self.verb.passes_through() {
            self.out.pop();
        }
        self.long = Some(Long { held_cr: false });
    }

    /// Passes more of a long line on, all but a CR at its end.
    fn pass(&mut self, long: &Long, more: &[u8], is_end: bool) {
        if !self.verb.passes_through() {
            return;
        }
        if long.held_cr && !more.is_empty() {
            self.out.push(b'\r');
        }
        self.out.extend_from_slice(more.strip_suffix(b"\r").unwrap_or(more));
        if is_end {
            self.out.push(b'\n');
        }
    }

    fn write(&mut self) -> Result<(), Stop> {
        let written = self.output.write_all(&self.out).and_then(|()| self.output.flush());
        self.out.clear();
        written.map_err(|error| Stop::of_write(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the length of each address, or passes what is none through.
    struct Length {
        passes: bool,
    }

    impl Verb for Length {
        fn line(&mut self, address: &[u8], _: Day, out: &mut Vec<u8>) {
            out.extend(format!("{}\n", address.len()).bytes());
        }

        fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
            if self.passes {
                out.extend_from_slice(input);
                out.push(b'\n');
            } else {
                out.extend(format!("long {}\n", input.len()).bytes());
            }
        }

        fn passes_through(&self) -> bool {
            self.passes
        }
    }

    /// Gives at most this many octets at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, block: &mut [u8]) -> std::io::Result<usize> {
            let size = self.1.min(block.len());
            (&mut self.0).take(size as u64).read(block)
        }
    }

    fn run(input: &[u8], at_once: usize, passes: bool) -> Vec<u8> {
        let mut output = Vec::new();
        lines(&mut Slow(input, at_once), &mut output, Clock(Some(Day::MIN)), &mut Length { passes }).unwrap();
        output
    }

    #[test]
    fn every_line_counts_whatever_its_end() {
        for (input, output) in [
            ("", ""),
            ("\n", "0\n"),
            ("\r\n", "0\n"),
            ("a", "1\n"),
            ("a\n", "1\n"),
            ("a\r\nbc\n\nd\r\r\n", "1\n2\n0\n2\n"),
            ("a\n\n", "1\n0\n"),
        ] {
            for at_once in [1, 2, 3, BLOCK] {
                assert_eq!(run(input.as_bytes(), at_once, true), output.as_bytes(), "{input:?} {at_once}");
            }
        }
    }

    #[test]
    fn a_line_is_whole_up_to_the_limit_wherever_the_blocks_end() {
        for length in [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            for end in ["", "\n", "\r\n"] {
                let line = "x".repeat(length);
                let input = format!("ab\n{line}{end}");
                for at_once in [1009, MAX_LINE, BLOCK] {
                    let expected = if length <= MAX_LINE {
                        (format!("2\n{length}\n"), format!("2\n{length}\n"))
                    } else {
                        (format!("2\n{line}\n"), format!("2\nlong {MAX_LINE}\n"))
                    };
                    let what = format!("{length} {end:?} {at_once}");
                    assert!(run(input.as_bytes(), at_once, true) == expected.0.as_bytes(), "passed on: {what}");
                    assert!(run(input.as_bytes(), at_once, false) == expected.1.as_bytes(), "cut: {what}");
                }
            }
        }
    }

    #[test]
    fn a_carriage_return_inside_a_long_line_stays() {
        let line = format!("{}\r{}\r\r{}", "x".repeat(MAX_LINE + 5), "y".repeat(1500), "z".repeat(9));
        for at_once in [1, 1000, BLOCK] {
            let output = run(format!("{line}\r\nq\n").as_bytes(), at_once, true);
            assert!(output == format!("{line}\n1\n").as_bytes(), "{at_once}");
        }
    }

    #[test]
    fn an_answer_comes_before_the_next_question_is_read() {
        struct Coprocess {
            questions: u8,
            answered: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
        }
        impl Read for Coprocess {
            fn read(&mut self, block: &mut [u8]) -> std::io::Result<usize> {
                let answers = self.answered.borrow().iter().filter(|&&octet| octet == b'\n').count();
                assert_eq!(answers, usize::from(self.questions));
                if self.questions == 3 {
                    return Ok(0);
                }
                self.questions += 1;
                block[..2].copy_from_slice(b"a\n");
                Ok(2)
            }
        }
        struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let answered = std::rc::Rc::default();
        let mut output = Shared(std::rc::Rc::clone(&answered));
        let mut input = Coprocess { questions: 0, answered };
        lines(&mut input, &mut output, Clock(Some(Day::MIN)), &mut Length { passes: true }).unwrap();
        assert_eq!(input.questions, 3);
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_trouble() {
        struct Broken(ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let stop = |kind| {
            lines(&mut &b"a\n"[..], &mut Broken(kind), Clock(Some(Day::MIN)), &mut Length { passes: true }).unwrap_err()
        };
        assert!(matches!(stop(ErrorKind::BrokenPipe), Stop::ClosedPipe));
        assert!(matches!(stop(ErrorKind::StorageFull), Stop::Trouble(_)));
    }
}
