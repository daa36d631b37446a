//! `backstop try`: the whole idea in one run. A ring with one random key in memory signs the sender, and the bounces that
//! may come are judged by it: a genuine one, a forged one, one that comes too late and one without a tag.

use backstop::explain::printable;
use backstop::{Address, Day, Domains, Form, KeyId, KeyRing, Mailbox, NewKey, Path, Signed, Use, Verdict, batv};

use crate::args;
use crate::output;
use crate::stop::{Outcome, Run, Stop};
use crate::when::Clock;
use backstop::json::Object;

/// How old the expired bounce is, in days.
const LATE: u32 = 30;

pub(crate) fn run(args: &args::Try) -> Run {
    let day = Clock(args.at.at).day()?;
    if day <= Day::MIN.plus(LATE) {
        return Err(Stop::trouble("--at must leave room for a tag of a month ago; give a day from 1970-02-01 on"));
    }
    let ring = ring()?;
    let Path::Mailbox(sender) = Path::parse(args.address.as_encoded_bytes())? else {
        return Err(Stop::trouble("there is no mailbox to sign; try one of yours, such as alice@example.com"));
    };
    let sign = |day: Day| match batv::sign(&ring, sender.as_bytes(), Form::Prefix, day)? {
        Signed::Done(signed) => Ok(signed),
        Signed::Unsigned(why) => Err(Stop::trouble(format!(
            "this address stays unsigned ({why}); try another one, such as alice@example.com"
        ))),
    };
    let signed = sign(day)?;
    let old = sign(day.minus(LATE))?;
    let mut judged = Vec::new();
    let guess = guess(&signed);
    for recipient in [signed.as_bytes(), &guess, old.as_bytes(), sender.as_bytes()] {
        judged.push((recipient.to_vec(), batv::verify(&ring, recipient, day)?));
    }
    let text = if args.json { objects(sender.as_bytes(), &signed, &judged) } else { words(sender, &signed, &judged) };
    output::print(&text)?;
    Ok(Outcome::Done)
}

/// A ring in memory, with a key that nobody keeps.
fn ring() -> Result<KeyRing, Stop> {
    Ok(KeyRing::empty().add(&NewKey {
        usage: Use::Prvs,
        id: KeyId::new(Use::Prvs, '0')?,
        mac: Use::Prvs.default_mac(),
        days: Use::Prvs.default_days(),
        from: None,
        until: None,
        domains: Domains::all(),
        secret: crate::key::random_secret()?,
    })?)
}

/// The signed address with another last digit of its MAC: as good as any guess, and certain to be wrong.
fn guess(signed: &Address) -> Vec<u8> {
    let mut guess = signed.as_bytes().to_vec();
    let quote = usize::from(signed.mailbox().is_quoted());
    if let Some(digit) = guess.get_mut(quote + "prvs=KDDDSSSSS".len()) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
    guess
}

/// The recipient of a bounce, and what it is.
type Judged<'a> = (Vec<u8>, Verdict<'a>);

fn words(sender: Mailbox<'_>, signed: &Address, judged: &[Judged<'_>]) -> Vec<u8> {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line("Your mail leaves with a signed sender, which only your key can make:".to_owned());
    line(format!("  {} -> {}", printable(sender.as_bytes()), printable(signed.as_bytes())));
    line(String::new());
    line("A bounce goes back to the sender. It answers your mail only if the signature comes back with it:".to_owned());
    let shown: Vec<String> = judged.iter().map(|(recipient, _)| printable(recipient)).collect();
    let width = shown.iter().map(|address| address.chars().count()).max().unwrap_or(0);
    for (address, (_, verdict)) in shown.iter().zip(judged) {
        let does = match verdict {
            Verdict::Genuine(proof) => format!("deliver to {}", printable(proof.mailbox.to_address().as_bytes())),
            _ => "refuse with 550".to_owned(),
        };
        line(format!("  {address:<width$}  {:<8}  {does}", verdict.slug()));
    }
    line(String::new());
    line("The key was made for this run and is gone. One that stays: backstop key new".to_owned());
    text.into_bytes()
}

fn objects(sender: &[u8], signed: &Address, judged: &[Judged<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.text("input", sender).text("output", signed.as_bytes()).flag("signed", true).optional("reason", None);
    object.close();
    let mut verdicts = crate::verify::Verdicts::new(true, crate::verify::Input::Address);
    for (recipient, verdict) in judged {
        verdicts.write(recipient, verdict, &mut out);
    }
    out
}
