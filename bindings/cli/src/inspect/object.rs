//! One message as a JSON object on a line.
//!
//! ```text
//! {"file","kind","verdict","proof","reason","score","evidence":[{"id","weight","why"}],"returned":{...},"source":{...}}
//! proof     where the tag or mark stood, null unless genuine         reason   why the verdict is unproven, else null
//! evidence  what the score is made of, then every tag or mark that was checked, with weight 0: PLACE-OUTCOME
//! ```
//!
//! `returned` is null when neither headers nor delivery-status fields came back, `source` when it is ordinary mail.

use backstop::bounce::{Check, Delivery, Evidence, Inspection, Kind, Returned, dnsbl_name};

use super::Seen;
use super::counts::network;
use crate::json::Object;

/// Appends the object of a message.
pub(crate) fn write(seen: &Seen<'_>, zones: &[String], out: &mut Vec<u8>) {
    let it = &seen.inspection;
    let mut object = Object::open(out);
    object.text("file", seen.file).plain("kind", Some(it.kind.slug())).plain("verdict", Some(it.verdict.slug()));
    object.plain("proof", it.proof().map(|proof| proof.place.slug()));
    object.plain("reason", it.verdict.why().map(|why| why.slug())).number("score", it.score);
    let checks: Vec<(String, String)> = it.checks.iter().map(check).collect();
    let items = it.evidence.iter().map(|Evidence { id, weight, why }| (*id, *weight, *why));
    let items = items.chain(checks.iter().map(|(id, why)| (id.as_str(), 0, why.as_str())));
    object.objects("evidence", items, |inner, (id, weight, why)| {
        inner.text("id", id.as_bytes()).number("weight", weight).text("why", why.as_bytes());
    });
    let has_returned = !it.returned.is_empty() || !it.deliveries.is_empty();
    object.object("returned", has_returned.then_some(|inner: &mut Object<'_>| returned(it, inner)));
    let has_source = it.kind != Kind::NotABounce;
    object.object("source", has_source.then_some(|inner: &mut Object<'_>| source(it, zones, inner)));
    object.close();
}

/// The id and the sentence of a tag or mark that was checked.
pub(crate) fn check(check: &Check) -> (String, String) {
    let mut why = format!("The {} is {}", check.place.slug(), check.outcome.slug());
    for (name, value) in [
        ("key", check.key.map(String::from)),
        ("signed", check.signed.map(|day| day.to_string())),
        ("expires", check.expires.map(|day| day.to_string())),
    ] {
        why += &value.map(|value| format!(", {name} {value}")).unwrap_or_default();
    }
    (format!("{}-{}", check.place.slug(), check.outcome.slug()), why + ".")
}

fn returned(it: &Inspection, object: &mut Object<'_>) {
    let first = it.returned.first();
    let text = |get: fn(&Returned) -> Option<&String>| first.and_then(get).map(|text| text.as_bytes());
    object.plain("form", first.map(|it| it.form.slug())).optional("message_id", text(|it| it.message_id.as_ref()));
    object.optional("from", text(|it| it.from.as_ref())).optional("to", text(|it| it.to.as_ref()));
    object.plain("date", first.and_then(|it| it.day)).flag("complete", first.is_some_and(|it| it.complete));
    object.number("fields", first.map_or(0, |it| it.fields) as u64).number("blocks", it.returned.len() as u64);
    object.plain("reason", it.reason.map(|reason| reason.slug()));
    object.objects("deliveries", &it.deliveries, |inner, delivery: &Delivery| {
        let text = |text: &Option<String>| text.clone().map(String::into_bytes);
        inner.optional("recipient", text(&delivery.recipient).as_deref());
        inner.plain("action", delivery.action.map(|action| action.slug()));
        inner.optional("status", text(&delivery.status).as_deref());
        inner.optional("diagnostic", text(&delivery.diagnostic).as_deref());
        inner.plain("reason", delivery.reason.map(|reason| reason.slug()));
    });
    object.texts("cuts", it.cuts.iter().map(|cut| cut.slug()));
}

fn source(it: &Inspection, zones: &[String], object: &mut Object<'_>) {
    let (source, injector) = (&it.source, it.source.injector.as_ref());
    let text = |text: &Option<String>| text.clone().map(String::into_bytes);
    object.optional("reporting", text(&source.reporting).as_deref());
    object.object(
        "injector",
        injector.map(|injector| {
            |inner: &mut Object<'_>| {
                inner.plain("ip", Some(injector.ip)).optional("name", text(&injector.name).as_deref());
                inner.plain("trust", Some(injector.trust.slug())).plain("network", Some(network(injector.ip)));
            }
        }),
    );
    object.optional("subject", text(&source.subject).as_deref()).texts("links", &source.links);
    object.optional("structure", text(&source.structure).as_deref()).optional("from", text(&source.from).as_deref());
    object.optional("name", text(&source.name).as_deref());
    match source.name_is_ours {
        Some(is_ours) => object.flag("name_is_ours", is_ours),
        None => object.optional("name_is_ours", None),
    };
    let names = injector.into_iter().flat_map(|injector| zones.iter().map(|zone| dnsbl_name(injector.ip, zone)));
    object.texts("dnsbl", names);
}
