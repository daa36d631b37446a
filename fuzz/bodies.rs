//! What the fuzz targets assert: one plain function a target, over any octets.
//!
//! `fuzz_targets/` hands them to libFuzzer; `tests/fuzz_seeds.rs` runs them over the kept seeds and over mutations of
//! them, so that what is here is a plain test as well. A broken invariant panics.
//!
//! ```text
//! input = text                        address, strip
//!       / message                     bounce: in messages.rs
//!       / octets as they are          ring, policy
//!       / options LF text             prvs, bst1, srs: up to four octets choose form, day, age and where to mutate
//!       / options LF from LF mark     mark
//! text  = octets as they are
//!       / "~" octets                  each octet from 0x80 up stands for one of TOKENS: reaches further than noise
//! ```
//!
//! Keys are fixed and, but for policy, undated. Days run from 1973 to 2061, past the wraps of all day numbers and the last day of bst1.

#[cfg(feature = "bounce")]
pub mod messages;

use std::sync::OnceLock;

use backstop::batv::{self, Tag};
use backstop::srs::{Alphabet, Dialect, OverLong};
use backstop::{Address, Day, Domains, Error, Form, KeyRing, MAX_ADDRESS, MAX_DOMAIN, MAX_LOCAL, Mailbox, Path};
use backstop::{Lapse, Unsigned, Verdict, mark as marks, srs as rewriting};

/// What octets from 0x80 up stand for in a text that begins with `~`.
const TOKENS: [&[u8]; 40] = [
    b"prvs=",
    b"+prvs=",
    b"bst1=",
    b"SRS0=",
    b"SRS0+",
    b"SRS1=",
    b"SRS1-",
    b"srs1+",
    b"btv1==",
    b"msprvs1=",
    b"SES=",
    b"0785e65738",
    b"785e65738",
    b"kujk3cbbs7rtk2ddl",
    b"PGkz",
    b"G3",
    b"=",
    b"==",
    b"=+",
    b"=-",
    b"/",
    b"@",
    b"\"",
    b"\\\"",
    b"\\\\",
    b"<",
    b">",
    b"@a.example,@b.example:",
    b"alice",
    b"Bob.X",
    b"j\xc3\xbcrgen",
    b"example.com",
    b"Example.COM",
    b"fwd.example.net",
    b"first.example.org",
    b"[192.0.2.1]",
    b"[IPv6:2001:db8::1]",
    b"[x:y=z]",
    b"postmaster",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// The text that these octets stand for.
pub fn text(data: &[u8]) -> Vec<u8> {
    let Some(coded) = data.strip_prefix(b"~") else { return data.to_vec() };
    let mut text = Vec::new();
    for &octet in coded {
        match TOKENS.get(usize::from(octet).wrapping_sub(0x80) % TOKENS.len()) {
            Some(token) if octet >= 0x80 => text.extend_from_slice(token),
            _ => text.push(octet),
        }
    }
    text
}

fn line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|&octet| octet == b'\n')?;
    Some((&data[..at], &data[at + 1..]))
}

/// The options before the first line feed, and the text.
fn options(data: &[u8]) -> ([u8; 4], &[u8]) {
    let (head, rest) = line(data).unwrap_or((b"", data));
    let mut options = [0; 4];
    for (to, from) in options.iter_mut().zip(head) {
        *to = *from;
    }
    (options, rest)
}

fn day(choice: u8) -> Day {
    Day::from_number(1200 + u32::from(choice) * 126).unwrap()
}

/// This many days after the day, or before it.
fn later(day: Day, age: i64) -> Day {
    Day::from_number(u32::try_from(i64::from(day.number()) + age).unwrap()).unwrap()
}

fn fold(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// An address that leaves the library is one, keeps its parts and, if asked, the length of its local part.
fn assert_legal(address: &Address, strict: bool) {
    let bytes = address.as_bytes();
    let parsed = if strict { Path::parse(bytes) } else { Path::parse_tagged(bytes) };
    assert_eq!(parsed, Ok(Path::Mailbox(address.mailbox())), "{address}");
    assert!(address.as_str().is_some());
}

/// Parsing: views into the input, limits, offsets, and the same mailbox again from what it gave.
pub fn address(data: &[u8]) {
    let input = text(data);
    let strict = Path::parse(&input);
    let path = match Path::parse_tagged(&input) {
        Ok(path) => path,
        Err(Error::Address { offset, .. }) => {
            assert!(offset <= input.len());
            assert!(strict.is_err());
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let Path::Mailbox(mailbox) = path else {
        assert_eq!(strict, Ok(path));
        return;
    };
    let (local, domain, bytes) = (mailbox.local(), mailbox.domain(), mailbox.as_bytes());
    assert_eq!([local, domain].join(&b'@'), bytes);
    assert!(input.ends_with(bytes) || input.strip_suffix(b">").is_some_and(|input| input.ends_with(bytes)));
    assert!(!local.is_empty() && !domain.is_empty());
    assert!(bytes.len() <= MAX_ADDRESS && domain.len() <= MAX_DOMAIN && std::str::from_utf8(bytes).is_ok());
    assert!(domain.starts_with(b"[") || !domain.contains(&b'@'));
    assert!(!contains(bytes, b"\r") && !contains(bytes, b"\n") && !contains(bytes, b"\0"));
    if local.len() <= MAX_LOCAL {
        assert_eq!(strict, Ok(path));
    } else {
        assert!(matches!(strict, Err(Error::Address { offset, .. }) if offset <= input.len()));
    }
    let content = mailbox.content();
    match mailbox.is_quoted() {
        true => assert_eq!([b"\"", content, b"\""].concat(), local),
        false => assert_eq!(content, local),
    }
    assert_eq!(Path::parse_tagged(bytes), Ok(path));
    assert_eq!(Path::parse_tagged(&[b"<", bytes, b">"].concat()), Ok(path));
    assert_eq!(mailbox.to_string().as_bytes(), bytes);
}

/// The ring's text: kept to the letter, the same ring again from it, errors that name a line and show no column.
pub fn ring(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|&octet| octet == b'\n').collect();
    let ring = match KeyRing::parse(data) {
        Ok(ring) => ring,
        Err(Error::Ring { line, message }) => {
            assert!((1..=lines.len()).contains(&line), "line {line} of {}: {message}", lines.len());
            // Long words only, and none of the examples that messages give: others could stand there by chance.
            for word in lines[line - 1].split(|octet| b" \t\r:".contains(octet)) {
                let telling = word.len() >= 16 && !contains(word, b"example");
                assert!(!telling || !contains(message.as_bytes(), word), "{message}");
            }
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(ring.as_text().as_bytes(), data);
    let again = KeyRing::parse(ring.as_text().as_bytes()).unwrap();
    assert_eq!(again.fingerprint(), ring.fingerprint());
    let mut before = 0;
    for (key, same) in ring.keys().iter().zip(again.keys()) {
        assert!(before < key.line() && key.line() <= lines.len());
        before = key.line();
        assert_eq!(key.fingerprint(), same.fingerprint());
        assert!((1..=key.usage().max_days()).contains(&key.days()));
        assert!(key.usage().takes(key.mac()) && key.secret_len() > 0);
        assert!(key.usage().ids().contains(&u8::try_from(key.id().as_char()).unwrap()));
        let first = key.from().or(key.until()).unwrap_or(Day::MIN);
        assert!(key.signs_on(first) && key.until().is_none_or(|until| key.signs_on(until)));
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("Key({} {} {})", key.usage(), key.id(), key.fingerprint()));
        if let Ok(signer) = ring.signing_key(key.usage(), b"example.com", first) {
            assert!(signer.signs_on(first) && signer.usage() == key.usage());
        }
    }
}

/// One kind of tag: its ring and what is known of its form.
struct Kind {
    ring: KeyRing,
    tag: Tag,
    days: i64,
    /// Characters between `prvs=` or `bst1=` and the next `=`, and how many of them, the last ones, are MAC.
    value: usize,
    mac: usize,
    /// After how many days the same tag comes again.
    cycle: Option<i64>,
}

impl Kind {
    fn in_date(&self, age: i64) -> bool {
        let age = self.cycle.map_or(age, |cycle| (age + 1).rem_euclid(cycle) - 1);
        (-1..=self.days).contains(&age)
    }

    fn sign(&self, sender: &[u8], form: Form, day: Day) -> Result<Address, Unsigned> {
        let signed = batv::sign(&self.ring, sender, form, day).unwrap();
        signed.address().copied().ok_or_else(|| signed.reason().unwrap())
    }

    fn verify<'a>(&self, recipient: &'a [u8], day: Day) -> Verdict<'a> {
        batv::verify(&self.ring, recipient, day).unwrap()
    }

    /// The value of the tag that this mailbox would get at the start of its local part.
    fn value_for(&self, mailbox: &[u8], day: Day) -> Option<Vec<u8>> {
        let signed = self.sign(mailbox, Form::Prefix, day).ok()?;
        Some(signed.mailbox().content()[5..][..self.value].to_vec())
    }
}

fn kinds() -> &'static [Kind; 3] {
    static KINDS: OnceLock<[Kind; 3]> = OnceLock::new();
    KINDS.get_or_init(|| {
        let ring = |line: &str| KeyRing::parse(format!("version 1\n{line}\n").as_bytes()).unwrap();
        let prvs = |line, days| Kind { ring: ring(line), tag: Tag::Prvs, days, value: 10, mac: 6, cycle: Some(1000) };
        let bst1 = ring("bst1 k sha256 10 - - * text:secret");
        [
            prvs("prvs 0 sha1 7 - - * text:secret", 7),
            prvs("prvs 4 sha256 10 - - * text:secret", 10),
            Kind { ring: bst1, tag: Tag::Bst1, days: 10, value: 17, mac: 13, cycle: None },
        ]
    })
}

/// prvs: whatever verifies was signed; whatever is signed verifies, in date, for the same mailbox, and not when changed.
pub fn prvs(data: &[u8]) {
    let [sha1, sha256, _] = kinds();
    let ([choice, ..], _) = options(data);
    tags(if choice & 1 == 0 { sha1 } else { sha256 }, data);
}

/// bst1: the same.
pub fn bst1(data: &[u8]) {
    let [.., bst1] = kinds();
    tags(bst1, data);
}

fn tags(kind: &Kind, data: &[u8]) {
    let ([choice, at, age, place], rest) = options(data);
    let (input, today) = (text(rest), day(at));
    let form = if choice & 2 == 2 && kind.tag == Tag::Prvs { Form::Subaddress } else { Form::Prefix };
    only_what_was_signed_verifies(kind, &input, today);
    let Ok(path) = Path::parse(&input) else {
        assert!(batv::sign(&kind.ring, &input, form, today).is_err());
        return;
    };
    let Path::Mailbox(mailbox) = path else {
        assert!(matches!(kind.sign(&input, form, today), Err(Unsigned::Null | Unsigned::NotOwn)));
        return;
    };
    match kind.sign(&input, form, today) {
        Ok(signed) => signed_verifies(kind, mailbox, &signed, form, today, age, place),
        Err(Unsigned::Shape) => assert!(mailbox.content().is_empty()),
        // The days of bst1 end.
        Err(Unsigned::NoKey) => assert!(kind.tag == Tag::Bst1 && today.number() > 32_767),
        Err(reason) => assert!(matches!(reason, Unsigned::Already | Unsigned::TooLong), "{reason}"),
    }
}

/// One tag comes off, and it is the one that signing would put on.
fn only_what_was_signed_verifies(kind: &Kind, input: &[u8], today: Day) {
    let Ok(verdict) = batv::verify(&kind.ring, input, today) else { return };
    let Some(proof) = verdict.proof() else { return };
    let (tag, stripped) = batv::strip(input).unwrap().unwrap();
    assert_eq!((tag, stripped), (kind.tag, proof.mailbox));
    let mailbox = proof.mailbox.to_address();
    assert_legal(&mailbox, true);
    let (mailbox, signed) = (mailbox.as_bytes(), proof.signed.unwrap());
    let values = [kind.value_for(mailbox, signed), kind.value_for(&fold(mailbox), signed)];
    if let [Some(given), Some(folded)] = values {
        let input = fold(input);
        assert!(contains(&input, &given) || contains(&input, &folded), "{stripped} on {signed}");
    }
}

fn signed_verifies(kind: &Kind, mailbox: Mailbox<'_>, signed: &Address, form: Form, today: Day, age: u8, place: u8) {
    assert_legal(signed, true);
    assert_eq!(kind.sign(signed.as_bytes(), form, today), Err(Unsigned::Already));
    let (tag, stripped) = batv::strip(signed.as_bytes()).unwrap().unwrap();
    assert_eq!((tag, stripped.to_address().as_bytes()), (kind.tag, mailbox.as_bytes()));
    for age in [-1, 0, kind.days, kind.days + 1, 998, 999, 1000, i64::from(age) * 9] {
        let verdict = kind.verify(signed.as_bytes(), later(today, age));
        let proof = verdict.proof().unwrap();
        assert_eq!(proof.mailbox.to_address().as_bytes(), mailbox.as_bytes());
        match verdict {
            Verdict::Genuine(_) => assert!(kind.in_date(age), "{signed} at {age}"),
            Verdict::Expired(_, lapse) => assert!(!kind.in_date(age) && lapse == Lapse::Lifetime, "{signed} at {age}"),
            other => panic!("{signed} at {age}: {other:?}"),
        }
        if (-1..kind.cycle.unwrap_or(i64::MAX) - 1).contains(&age) {
            assert_eq!(proof.signed, Some(today), "{signed} at {age}");
        }
    }
    let quote = usize::from(mailbox.is_quoted());
    let end = match form {
        Form::Prefix => quote + 5 + kind.value,
        Form::Subaddress => signed.mailbox().local().len() - quote,
    };
    let mut changed = signed.as_bytes().to_vec();
    let value = end - kind.value..end;
    changed[value.clone()].make_ascii_uppercase();
    assert_eq!(kind.verify(&changed, today).slug(), "genuine", "{signed} in upper case");
    let at = end - 1 - usize::from(place) % kind.mac;
    let zero = if kind.tag == Tag::Prvs { [b'0', b'1'] } else { [b'a', b'b'] };
    changed[at] = if changed[at].eq_ignore_ascii_case(&zero[0]) { zero[1] } else { zero[0] };
    // Verifying takes the tag of the folded address as well, which may by chance be this one.
    let twin = kind.value_for(&fold(mailbox.as_bytes()), today);
    if twin.is_none_or(|twin| twin != fold(&changed[value])) {
        assert_eq!(kind.verify(&changed, today).slug(), "forged", "{signed} changed");
    }
}

/// Strip: one tag off, the rest as it was, and the same kind as verifying sees.
pub fn strip(data: &[u8]) {
    static EMPTY: OnceLock<KeyRing> = OnceLock::new();
    let ring = EMPTY.get_or_init(|| KeyRing::parse(b"version 1\n").unwrap());
    let input = text(data);
    let verdict = batv::verify(ring, &input, day(0));
    match (batv::strip(&input), verdict) {
        (Ok(Some((tag, address))), Ok(verdict)) => {
            let address = address.to_address();
            assert_legal(&address, true);
            let Ok(Path::Mailbox(whole)) = Path::parse_tagged(&input) else { panic!("{address} came from no mailbox") };
            let rest = address.mailbox();
            assert_eq!((rest.domain(), rest.is_quoted()), (whole.domain(), whole.is_quoted()));
            assert!(contains(whole.content(), rest.content()));
            assert!((15..=37).contains(&(whole.content().len() - rest.content().len())), "{address}");
            match tag {
                Tag::Prvs | Tag::Bst1 => assert_eq!(verdict.slug(), "unknown-key"),
                Tag::Foreign(foreign) => assert_eq!(verdict, Verdict::Foreign(foreign)),
            }
        }
        (Ok(None), Ok(verdict)) => assert!(matches!(verdict, Verdict::Untagged | Verdict::Malformed(_))),
        // Strip has nothing to do for a path that is no recipient; verifying does not measure what it refuses.
        (Ok(None), Err(Error::NullRecipient)) | (Err(_), Ok(Verdict::Foreign(_) | Verdict::Malformed(_))) => {}
        (Err(left), Err(right)) => assert_eq!(left, right),
        (strip, verify) => panic!("{strip:?} but {verify:?}"),
    }
}

/// What forwarding makes reverses to the sender in date, and not when its hash is changed; reversing takes anything.
pub fn srs(data: &[u8]) {
    static RING: OnceLock<(KeyRing, Domains)> = OnceLock::new();
    let (ring, own) = RING.get_or_init(|| {
        let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - * text:tops3cr3t\n").unwrap();
        (ring, Domains::parse("fwd.example.net,*.own.example").unwrap())
    });
    let ([shape, length, at, age], rest) = options(data);
    let (input, today) = (text(rest), day(at));
    let length = usize::from(length) % 27 + 1;
    let dialect = Dialect::CLASSIC
        .with_separator(['=', '+', '-'][usize::from(shape) % 3])
        .and_then(|dialect| dialect.with_hash(length, length.min(4)))
        .unwrap()
        .with_alphabet(Alphabet::ALL[usize::from(shape >> 2) % 3])
        .with_over_long(if shape & 0x40 == 0 { OverLong::Leave } else { OverLong::Emit });
    if let Ok(Some(proof)) = rewriting::reverse(ring, &input, own, &dialect, today).as_ref().map(Verdict::proof) {
        assert_legal(&proof.mailbox.to_address(), false);
    }
    let signed = match rewriting::forward(ring, &input, "fwd.example.net", own, &dialect, today) {
        Ok(signed) => signed,
        Err(error) => return assert!(matches!(error, Error::Address { offset, .. } if offset <= input.len())),
    };
    let Some(signed) = signed.address() else { return };
    assert_legal(signed, shape & 0x40 == 0);
    assert_eq!(signed.mailbox().domain(), b"fwd.example.net");
    let again = rewriting::forward(ring, signed.as_bytes(), "fwd.example.net", own, &dialect, today).unwrap();
    assert_eq!(again.reason(), Some(Unsigned::Already));
    let Ok(Path::Mailbox(sender)) = Path::parse_tagged(&input) else { panic!("{signed} was made from no mailbox") };
    let content = sender.content();

    let mut changed = signed.as_bytes().to_vec();
    let hash = &mut changed[5 + usize::from(signed.mailbox().is_quoted())];
    *hash = if hash.eq_ignore_ascii_case(&b'a') { b'b' } else { b'a' };
    assert_eq!(rewriting::reverse(ring, &changed, own, &dialect, today).unwrap().slug(), "forged", "{signed} changed");

    let tagged = content.get(..5).map(fold).filter(|head| b"=+-".contains(&head[4]));
    let expected = match tagged.as_deref().map(|head| &head[..4]) {
        Some(b"srs1") => {
            let mut parts = content[5..].splitn(3, |&octet| octet == b'=').skip(1);
            let (host, rest) = (parts.next().unwrap(), parts.next().unwrap());
            if own.contains(host) {
                // Reversed to the end, through an inner address that anyone may have written.
                assert!(!matches!(
                    rewriting::reverse(ring, signed.as_bytes(), own, &dialect, today).unwrap(),
                    Verdict::Foreign(_) | Verdict::Untagged
                ));
                return;
            }
            ([b"SRS0", rest].concat(), host)
        }
        Some(b"srs0") => ([b"SRS0", &content[4..]].concat(), sender.domain()),
        _ => (content.to_vec(), sender.domain()),
    };
    let dated = signed.mailbox().content().starts_with(b"SRS0");
    for age in [-1, 0, 21, 22, 1022, i64::from(age) * 4] {
        let verdict = rewriting::reverse(ring, signed.as_bytes(), own, &dialect, later(today, age)).unwrap();
        let in_date = !dated || (age + 1).rem_euclid(1024) <= 22;
        assert_eq!(verdict.slug(), if in_date { "genuine" } else { "expired" }, "{signed} at {age}");
        let mailbox = verdict.proof().unwrap().mailbox.to_address();
        assert_eq!((mailbox.mailbox().content(), mailbox.mailbox().domain()), (&*expected.0, expected.1));
    }
}

/// Marks made verify for their From in date and for nobody else; verifying takes anything.
pub fn mark(data: &[u8]) {
    static RING: OnceLock<KeyRing> = OnceLock::new();
    let ring = RING.get_or_init(|| KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:secret\n").unwrap());
    let ([a, at, age, place], rest) = options(data);
    let (from, given) = line(rest).unwrap_or((rest, b""));
    let (from, given, today) = (text(from), text(given), day(at));
    for verdict in
        [marks::verify_header(ring, &given, &from, today), marks::verify_message_id(ring, &given, &from, today)]
    {
        if let Ok(Some(proof)) = verdict.as_ref().map(Verdict::proof) {
            let mailbox = proof.mailbox.to_address();
            assert_legal(&mailbox, true);
            assert_eq!(Path::parse(&from), Ok(Path::Mailbox(mailbox.mailbox())));
        }
    }
    let Ok(Path::Mailbox(mailbox)) = Path::parse(&from) else { return };
    let domain = std::str::from_utf8(mailbox.domain()).unwrap();
    let header = marks::make_header(ring, &from, [a, at, age, place, a, a, a, a], today).unwrap();
    let left = std::str::from_utf8(mailbox.content()).unwrap();
    let id = marks::make_message_id(ring, left, domain, &from, today);
    let made = [Some(header), id.ok()];
    for (which, made) in made.into_iter().flatten().enumerate() {
        let marks::Marked::Done(value) = made else {
            assert!(if which == 0 { domain.contains(';') } else { today.number() > 0x7fff });
            continue;
        };
        type Verify = for<'a> fn(&KeyRing, &[u8], &'a [u8], Day) -> Result<Verdict<'a>, Error>;
        let checks: Verify = if which == 0 { marks::verify_header } else { marks::verify_message_id };
        assert!(value.len() <= marks::MAX_MARK && !value.contains(['\r', '\n']));
        for age in [-1, 0, 14, 15, i64::from(age)] {
            let expected = if age <= 14 { "genuine" } else { "expired" };
            let verdict = checks(ring, value.as_bytes(), &from, later(today, age)).unwrap();
            assert_eq!(verdict.slug(), expected, "{value} at {age}");
            assert_eq!(verdict.proof().unwrap().mailbox.to_address().as_bytes(), mailbox.as_bytes());
        }
        assert_eq!(
            checks(ring, value.as_bytes(), &fold(mailbox.as_bytes()), today).unwrap().slug(),
            "genuine",
            "{value}"
        );
        let other = checks(ring, value.as_bytes(), b"somebody.else@example.com", today).unwrap();
        assert!(other.proof().is_none() || fold(mailbox.as_bytes()) == b"somebody.else@example.com", "{value}");
        let end = if which == 0 { value.len() } else { value.len() - domain.len() - 2 };
        let at = end - 1 - usize::from(place) % 16;
        let wrong = if &value[at..=at] == "a" { "b" } else { "a" };
        let changed = [&value[..at], wrong, &value[at + 1..]].concat();
        assert_eq!(checks(ring, changed.as_bytes(), &from, today).unwrap().slug(), "forged", "{changed}");
    }
}

/// The policy's text, and what a policy never does: sign what nobody vouches for, refuse an untagged bounce to a mailbox
/// whose mail it would not have signed on each of the last days + 7 days, refuse what it signed itself.
#[cfg(feature = "policy-file")]
pub fn policy(data: &[u8]) {
    use backstop::policy::{Action, Client, Origin, Policy, Rule};

    static RING: OnceLock<KeyRing> = OnceLock::new();
    let ring = RING.get_or_init(|| {
        let ring =
            b"version 1\nprvs 0 sha1 7 2026-10-01 - *,!gap.example text:secret\nsrs 0 sha1 21 - - * text:other\n";
        KeyRing::parse(ring).unwrap()
    });
    let policy = match Policy::parse(data) {
        Ok(policy) => policy,
        Err(Error::Policy { line, .. }) => {
            return assert!((1..=data.split(|octet| *octet == b'\n').count()).contains(&line), "line {line}");
        }
        Err(error) => panic!("{error}"),
    };
    let senders = ["alice@example.com", "Bob@lists.example.com", "noreply@example.com", "carol@other.example"];
    for (sender, number) in senders.iter().flat_map(|sender| [20_720, 20_778].map(|day| (sender.as_bytes(), day))) {
        let today = Day::from_number(number).unwrap();
        let sent = |origin, day| policy.outgoing(ring, sender, [], origin, day);
        for &origin in Origin::ALL {
            let out = sent(origin, today);
            let Some(signed) = out.rewrite else { continue };
            assert!(matches!(origin, Origin::Submitted | Origin::Internal), "{signed} from {}", origin.as_str());
            assert_legal(&signed, true);
            assert!(policy.own_domains().contains(signed.mailbox().domain()));
            let back = policy.incoming(ring, b"", signed.as_bytes(), Client::Other, today);
            let Action::Strip(mailbox) = back.action else { panic!("{signed}: {back:?}") };
            assert_eq!(mailbox.as_bytes(), sender);
        }
        let back = policy.incoming(ring, b"", sender, Client::Other, today);
        assert_eq!(back.reply.is_some(), back.action == Action::Refuse);
        if back.action == Action::Refuse && back.rule != Rule::NeverSends {
            for ago in 0..=14 {
                let out = sent(Origin::Submitted, today.minus(ago));
                assert!(out.rewrite.is_some(), "{ago} days ago: {:?}", out.rule);
            }
        }
        let answer = policy.incoming(ring, b"dave@elsewhere.example", sender, Client::Other, today);
        assert_eq!(answer.action, Action::Unchanged);
        // What returns to an own mailbox is judged once more, and need not pass.
        let foreign = !policy.own_domains().contains(b"elsewhere.example");
        if let Some(rewritten) = policy.forward(ring, b"dave@elsewhere.example", sender, today).rewrite {
            assert_legal(&rewritten, false);
            let back = policy.incoming(ring, b"", rewritten.as_bytes(), Client::Other, today);
            let returns = matches!(back.action, Action::Reverse(to) if to.as_bytes() == b"dave@elsewhere.example");
            assert!(returns || !foreign, "{back:?}");
        }
    }
}
