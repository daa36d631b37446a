//! The words and sentences that results are told in: each stands for one thing.

#![cfg(feature = "bounce")]

use std::collections::BTreeSet;

use backstop::bounce::{Action, Advice, Form, Kind, Outcome, Place, Reason, Restraint, Trust, Verdict, Why};

const VERDICTS: [Verdict; 6] = [
    Verdict::NotABounce,
    Verdict::Genuine,
    Verdict::Expired,
    Verdict::Forged,
    Verdict::Unproven(Why::Damaged),
    Verdict::Backscatter,
];

#[test]
fn every_word_stands_for_one_thing() {
    let outcomes = [
        Outcome::Genuine,
        Outcome::Expired,
        Outcome::Future,
        Outcome::OtherAddress,
        Outcome::Forged,
        Outcome::UnknownKey,
        Outcome::NotCovered,
        Outcome::Damaged,
        Outcome::Malformed,
        Outcome::Foreign,
    ];
    let actions = [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded];
    for words in [
        Kind::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        Why::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        Restraint::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        Reason::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        Place::ALL.iter().map(|it| it.slug()).collect::<Vec<_>>(),
        VERDICTS.map(Verdict::slug).to_vec(),
        outcomes.map(Outcome::slug).to_vec(),
        actions.map(Action::slug).to_vec(),
        [Advice::Deliver, Advice::Flag, Advice::Refuse].map(Advice::slug).to_vec(),
        [Form::Message, Form::Headers, Form::Text].map(Form::slug).to_vec(),
        [Trust::Reporter, Trust::Claimed].map(Trust::slug).to_vec(),
    ] {
        let is_word = |word: &&str| word.bytes().all(|it| it.is_ascii_lowercase() || it == b'-') && word.len() > 2;
        assert!(words.iter().all(is_word), "{words:?}");
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len(), "{words:?}");
    }
}

#[test]
fn every_sentence_says_one_thing() {
    for sentences in [
        Kind::ALL.iter().map(|it| it.sentence()).collect::<Vec<_>>(),
        Why::ALL.iter().map(|it| it.sentence()).collect::<Vec<_>>(),
        Restraint::ALL.iter().map(|it| it.sentence()).collect::<Vec<_>>(),
        VERDICTS.map(Verdict::sentence).to_vec(),
    ] {
        assert!(sentences.iter().all(|it| it.ends_with('.') && it.starts_with(char::is_uppercase)), "{sentences:?}");
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), sentences.len(), "{sentences:?}");
    }
}

#[test]
fn only_an_unproven_verdict_has_a_reason_and_only_one_that_is_refused_a_reply() {
    assert_eq!(VERDICTS.map(Verdict::why), [None, None, None, None, Some(Why::Damaged), None]);
    let replies = VERDICTS.map(Verdict::reply);
    assert_eq!(replies.map(|it| it.is_some()), [false, false, true, true, false, true]);
    assert!(replies.iter().flatten().all(|it| it.starts_with("550 5.7.1 ")), "{replies:?}");
    assert_eq!(replies.iter().flatten().collect::<BTreeSet<_>>().len(), 3, "{replies:?}");
}
