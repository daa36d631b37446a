//! Mail::SRS, the reference implementation of SRS, through `mail_srs.pl`.

use std::process::Command;

use backstop::srs::{self, Alphabet, Dialect, OverLong};
use backstop::{Day, Domains, KeyRing};

use super::{Sequence, ask};

const SENDERS: usize = 2000;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/mail_srs.pl");

pub(crate) fn is_installed() -> bool {
    Command::new("perl").args(["-MMail::SRS", "-e", "1"]).output().is_ok_and(|output| output.status.success())
}

/// What is asked of both.
struct Request {
    separator: char,
    length: usize,
    secret: String,
    /// The sender and the forwarder, or the address to reverse.
    address: String,
    forwarder: Option<&'static str>,
}

impl Request {
    fn line(&self) -> String {
        let Request { separator, length, secret, address, forwarder } = self;
        match forwarder {
            Some(forwarder) => format!("forward\t{separator}\t{length}\t{secret}\t{address}\t{forwarder}"),
            None => format!("reverse\t{separator}\t{length}\t{secret}\t{address}"),
        }
    }

    fn dialect(&self) -> Dialect {
        let dialect = Dialect::CLASSIC.with_separator(self.separator).unwrap();
        dialect.with_hash(self.length, self.length).unwrap().with_over_long(OverLong::Emit)
    }

    /// The answer of the library, in the form of the script.
    fn ours(&self, today: Day) -> String {
        let ring = format!("version 1\nsrs 0 sha1 21 - - * text:{}\n", self.secret);
        let ring = KeyRing::parse(ring.as_bytes()).unwrap();
        let (address, dialect) = (self.address.as_bytes(), self.dialect());
        let result = match self.forwarder {
            Some(forwarder) => {
                let own = Domains::parse(forwarder).unwrap();
                let signed = srs::forward(&ring, address, forwarder, &own, &dialect, today);
                signed.ok().map(|signed| signed.address().map_or(self.address.clone(), ToString::to_string))
            }
            None => {
                // Mail::SRS looks at no domain: whoever is asked is the forwarder.
                let own = self.address.rsplit('@').next().and_then(|domain| Domains::parse(domain).ok());
                let verdict = srs::reverse(&ring, address, &own.unwrap(), &dialect, today);
                let verdict = verdict.ok().filter(|verdict| verdict.slug() == "genuine");
                verdict.and_then(|verdict| Some(verdict.proof()?.mailbox.to_string()))
            }
        };
        result.map_or("error".into(), |address| format!("ok\t{address}"))
    }
}

fn answers(requests: &[Request]) -> Vec<String> {
    let lines: Vec<String> = requests.iter().map(Request::line).collect();
    let answers = ask(Command::new("perl").arg(SCRIPT), &lines);
    assert_eq!(answers.len(), requests.len());
    answers
}

/// Whether the answers to a changed address may differ.
fn is_known(request: &Request, ours: &str, theirs: &str) -> bool {
    // The hash does not cover the `=` between domain and user, and Mail::SRS takes a user of no characters.
    let userless = ours == "error" && theirs.starts_with("ok\t@");
    // We read `-_.` for `+/` as well, which other peers write.
    let hash = request.address.get(5..5 + request.length);
    let alphabet = theirs == "error" && hash.is_some_and(|hash| hash.contains(['-', '_', '.']));
    request.forwarder.is_none() && (userless || alphabet)
}

/// Each sender over three forwarders, each result back, and each result changed in one place.
pub(crate) fn agrees_on_random_addresses(today: Day) {
    let mut random = Sequence::new();
    let seed = random.0;
    let mut requests = Vec::new();
    for _ in 0..SENDERS {
        let (separator, length) = (random.one_of(&['=', '+', '-']), random.one_of(&[4, 4, 4, 5, 20, 27]));
        let secret = random.text("abcXYZ0189 !#/+=,", 1, 90);
        let secret = format!("s{}e", secret.trim());
        let mut address = if random.below(40) == 0 { "same@first.example".into() } else { random.address(64) };
        for forwarder in ["first.example", "SECOND.example", "third.example"] {
            let request = |address: &str, forwarder| Request {
                separator,
                length,
                secret: secret.clone(),
                address: address.to_owned(),
                forwarder,
            };
            let forward = request(&address, Some(forwarder));
            let Some(next) = forward.ours(today).strip_prefix("ok\t").map(str::to_owned) else { break };
            requests.push(forward);
            if next.len() < 230 {
                requests.push(request(&next, None));
                requests.push(request(&random.mutated(&next), None));
            }
            address = next;
        }
    }
    let (mut genuine, mut refused) = (0, 0);
    for (request, theirs) in requests.iter().zip(answers(&requests)) {
        let ours = request.ours(today);
        assert!(
            ours == theirs || is_known(request, &ours, &theirs),
            "seed {seed}: {}\n ours {ours}\n Mail::SRS {theirs}",
            request.line()
        );
        let counter = if ours == "error" { &mut refused } else { &mut genuine };
        *counter += 1;
    }
    assert!(genuine > 2 * SENDERS && refused > SENDERS, "{genuine} and {refused} tell too little");
}

/// `H` for each character of a hash, `T` for those of a stamp.
fn normal(answer: &str) -> String {
    let mut text = answer.as_bytes().to_vec();
    let at = answer.find("SRS0=").or_else(|| answer.find("SRS1="));
    if let Some(at) = at.filter(|at| text[at + 9] == b'=') {
        text[at + 5..at + 9].fill(b'H');
        if text[at + 12] == b'=' {
            text[at + 10..at + 12].fill(b'T');
        }
    }
    String::from_utf8(text).unwrap()
}

/// Sender, what Mail::SRS makes of it, what we make of it, and why.
const FORWARD: [(&str, &str, &str, &str); 7] = [
    (
        "\"a b\"@example.com",
        "ok\tSRS0=HHHH=TT=example.com=\"a b\"@fwd.example.net",
        "ok\t\"SRS0=HHHH=TT=example.com=a b\"@fwd.example.net",
        "quotes in the middle of a local part are illegal",
    ),
    ("\"a@b\"@example.com", "error", "ok\t\"SRS0=HHHH=TT=example.com=a@b\"@fwd.example.net", "a quoted @ is legal"),
    ("a@b@example.com", "error", "error", "agreed: this is no address"),
    (
        "\"\"@example.com",
        "ok\tSRS0=HHHH=TT=example.com=\"\"@fwd.example.net",
        "ok\t\"\"@example.com",
        "nothing would stand for the sender",
    ),
    (
        "SRS0=@first.example.org",
        "ok\tSRS1=HHHH=first.example.org==@fwd.example.net",
        "ok\tSRS0=@first.example.org",
        "it would reverse to no SRS0 address",
    ),
    ("a b@example.com", "ok\tSRS0=HHHH=TT=example.com=a b@fwd.example.net", "error", "a bare blank is illegal"),
    ("alice@[x:y=z]", "ok\tSRS0=HHHH=TT=[x:y=z]=alice@fwd.example.net", "ok\talice@[x:y=z]", "the = would split it"),
];

pub(crate) fn differs_where_known(today: Day) {
    let request = |address: &str, forwarder| Request {
        separator: '=',
        length: 4,
        secret: "tops3cr3t".into(),
        address: address.to_owned(),
        forwarder,
    };
    let requests: Vec<Request> = FORWARD.iter().map(|row| request(row.0, Some("fwd.example.net"))).collect();
    for ((request, theirs), row) in requests.iter().zip(answers(&requests)).zip(FORWARD) {
        assert_eq!(normal(&theirs), row.1, "Mail::SRS on {}: {}", row.0, row.3);
        assert_eq!(normal(&request.ours(today)), row.2, "{}: {}", row.0, row.3);
    }

    // A host that already lives in tomorrow, and one that writes another alphabet: we read both, Mail::SRS neither.
    let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - * text:tops3cr3t\n").unwrap();
    let own = Domains::parse("fwd.example.net").unwrap();
    let forward = |sender: &str, dialect: Dialect, day: Day| {
        let signed = srs::forward(&ring, sender.as_bytes(), "fwd.example.net", &own, &dialect, day).unwrap();
        signed.address().unwrap().to_string()
    };
    let written = |alphabet, user: usize| {
        let address = forward(&format!("user{user}@example.com"), Dialect::CLASSIC.with_alphabet(alphabet), today);
        address[5..9].contains(['-', '_', '.']).then_some(address)
    };
    let mut read = vec![forward("alice@example.com", Dialect::CLASSIC, today.plus(1))];
    read.extend([Alphabet::Url, Alphabet::Alt].map(|alphabet| (0..).find_map(|user| written(alphabet, user)).unwrap()));
    let requests: Vec<Request> = read.iter().map(|address| request(address, None)).collect();
    for (request, theirs) in requests.iter().zip(answers(&requests)) {
        assert_eq!(theirs, "error", "{}", request.address);
        assert!(request.ours(today).starts_with("ok\t"), "{}", request.address);
    }

    // A local part above 64 octets, which Mail::SRS emits and we leave unless told otherwise.
    let long = format!("{}@example.com", "a".repeat(64));
    let theirs = answers(&[request(&long, Some("fwd.example.net"))]);
    assert_eq!(theirs[0], request(&long, Some("fwd.example.net")).ours(today));
    let left = srs::forward(&ring, long.as_bytes(), "fwd.example.net", &own, &Dialect::CLASSIC, today).unwrap();
    assert_eq!(left.reason().map(|reason| reason.slug()), Some("too-long"));
}
