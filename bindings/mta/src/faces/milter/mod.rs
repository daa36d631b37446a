//! The milter protocol, of Postfix and Sendmail, by the library indymilter: steps in, replies and changes out.
//!
//! `session.rs` decides, `headers.rs` has what concerns the header, `line.rs` brings a connection to the library. Nothing is
//! asked for that is not needed (headers and body cost a mail server up to 40 %) but DATA, which comes always
//! (`NOT_NEEDED` says why), and the steps without an answer are agreed to have none.
//!
//! Signing is CHGFROM, taking off a tag DELRCPT and ADDRCPT, so that no ORCPT tells the tag (NOTIFY is kept, where the mail
//! server takes arguments); both at the end of the message, where all recipients are known. Whether a milter behind this one
//! refused a recipient nobody tells, and ADDRCPT would bring it back: those that refuse at RCPT stand in front. Refusals are given at RCPT, DATA or the end of the message, whose header and body are only
//! asked for if the policy wants that; of a body that nobody waits for only the first piece comes, where the mail server
//! knows "skip". A mail server without one of these actions is turned away; the log says so.

pub mod headers;
pub mod line;
pub mod session;

use std::ffi::{CStr, CString};
use std::sync::Arc;

use indymilter::{
    ActionError, Actions, Callbacks, Config, ContextActions, EomContext, MacroStage, NegotiateContext, ProtoOpts,
    SetErrorReply, SocketInfo, Status,
};
use tokio::sync::watch;

use self::headers::Change;
use self::line::{Fate, Once};
use self::session::{Answer, Changes, End, Session};
use crate::config::Limits;
use crate::exchange;
use crate::listen::Duplex;
use crate::pool::Seat;
use crate::state::State;

/// The longest packet: the library's own limit, with the octet of its command.
pub const MAX_PACKET: usize = 1024 * 1024;
/// What a mail server must be able to do.
const ACTIONS: Actions = Actions::CHANGE_SENDER.union(Actions::ADD_RCPT).union(Actions::DELETE_RCPT);
/// What it need not send. DATA comes also where nothing waits for it: Postfix sends the macros of that step in any case, and
/// without an answer to them what follows lies for 40 ms, between Nagle's algorithm there and a delayed acknowledgement here.
const NOT_NEEDED: ProtoOpts = ProtoOpts::NO_HELO.union(ProtoOpts::NO_UNKNOWN);
/// Steps that need no answer; the library leaves the answers out that were agreed not to be given.
const NO_REPLY: ProtoOpts = ProtoOpts::NOREPLY_CONNECT.union(ProtoOpts::NOREPLY_MAIL);

/// Talks to one mail server until the connection ends or the daemon stops between two mails.
pub async fn serve(
    state: &Arc<State>,
    stream: Box<dyn Duplex>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    seat: Seat,
) -> exchange::End {
    let (listener, mut hold) = Once::new(stream, seat, limits.request);
    let fate = hold.fate();
    let (busy, mut is_busy) = watch::channel(false);
    let config = Config { max_connections: 1, connection_timeout: limits.milter_idle, ..Config::default() };
    // Both waits end with an error when the other side is gone, which is an end as well.
    let stopped = async {
        drop(stop.wait_for(|stop| *stop).await);
        drop(is_busy.wait_for(|busy| !busy).await);
    };
    let end = async {
        tokio::select! {
            () = hold.done() => {}
            () = stopped => {}
        }
    };
    match indymilter::run(listener, callbacks(state, busy, &fate), config, end).await {
        Ok(()) if fate.is_slow() => exchange::End::Slow,
        Ok(()) => fate.unread().map_or(exchange::End::Closed, |what| exchange::End::Broken(exchange::Broken(what))),
        Err(error) => exchange::End::Failed(error),
    }
}

/// The steps, for one connection.
fn callbacks(state: &Arc<State>, busy: watch::Sender<bool>, fate: &Arc<Fate>) -> Callbacks<Session> {
    let (state, busy, of_line) = (Arc::clone(state), Arc::new(busy), Arc::clone(fate));
    let (at_data, at_end, at_abort) = (Arc::clone(&busy), Arc::clone(&busy), Arc::clone(&busy));
    Callbacks::new()
        .on_negotiate(move |cx, actions, options| {
            let status = negotiate(&state, cx, actions, options);
            Box::pin(async move { status })
        })
        .on_connect(|cx, _, client| {
            if let Some(session) = &mut cx.data {
                match client {
                    SocketInfo::Inet(address) => session.connect(Some(address)),
                    SocketInfo::Unix(_) => session.connect(None),
                    // A proxy that does not know the client: nobody vouches for it.
                    SocketInfo::Unknown => session.connect_unknown(),
                }
            }
            Box::pin(async { Status::Continue })
        })
        .on_mail(move |cx, args| {
            let named = cx.macros.get(c"{auth_authen}").is_some_and(|user| !user.is_empty());
            let authenticated = named && !of_line.is_bare();
            if let Some(session) = &mut cx.data {
                session.mail(first(&args), authenticated);
                busy.send_replace(session.is_busy());
            }
            Box::pin(async { Status::Continue })
        })
        .on_rcpt(|cx, args| {
            let queue = queue(cx.macros.get(c"i"));
            let answer = cx.data.as_mut().map_or(Answer::Later, |session| {
                let answer = session.recipient(first(&args), &queue);
                if answer == Answer::Continue {
                    args.iter().skip(1).for_each(|argument| session.argument(argument.to_bytes()));
                }
                answer
            });
            let status = answered(&mut cx.reply, answer);
            Box::pin(async move { status })
        })
        .on_data(move |cx| {
            let queue = queue(cx.macros.get(c"i"));
            let answer = cx.data.as_mut().map_or(Answer::Later, |session| session.data(&queue));
            at_data.send_replace(cx.data.as_ref().is_some_and(Session::is_busy));
            let status = answered(&mut cx.reply, answer);
            Box::pin(async move { status })
        })
        .on_header(|cx, name, value| {
            if let Some(session) = &mut cx.data {
                session.header(name.to_bytes(), value.to_bytes());
            }
            Box::pin(async { Status::Continue })
        })
        // Only so that the library takes a message without any header.
        .on_eoh(|_| Box::pin(async { Status::Continue }))
        .on_body(|cx, octets| {
            let more = cx.data.as_mut().is_some_and(|session| session.body(&octets));
            let skips = cx.data.as_ref().is_some_and(|session| session.skips);
            Box::pin(async move { if more || !skips { Status::Continue } else { Status::Skip } })
        })
        .on_eom(move |cx| {
            let busy = Arc::clone(&at_end);
            Box::pin(async move {
                let queue = queue(cx.macros.get(c"i"));
                let end = cx.data.as_mut().map_or(End::Later, |session| session.end(&queue));
                let status = match end {
                    End::Later => Status::Tempfail,
                    End::Refuse(reply) => answered(&mut cx.reply, Answer::Refuse(reply)),
                    // The mail server has the mail whole: better later than with half of the changes.
                    End::Accept(changes) => change(cx, &changes).await.map_or(Status::Tempfail, |()| Status::Continue),
                };
                busy.send_replace(false);
                status
            })
        })
        .on_abort(move |cx| {
            cx.data.iter_mut().for_each(Session::abort);
            at_abort.send_replace(false);
            Box::pin(async { Status::Continue })
        })
}

/// Agrees on actions and steps, and begins the session.
fn negotiate(state: &Arc<State>, cx: &mut NegotiateContext<Session>, actions: Actions, options: ProtoOpts) -> Status {
    let mut session = Session::new(Arc::clone(state));
    let wanted = session.wanted();
    let mut needed = ACTIONS;
    needed.set(Actions::ADD_HEADER, wanted.mark || wanted.verdict);
    needed.set(Actions::CHANGE_HEADER, wanted.verdict);
    if !actions.contains(needed) {
        let what = if actions.contains(ACTIONS) { "headers" } else { "sender and recipients" };
        state.log.complaint(&format!("a mail server offers no change of {what}; [milter] cannot work with it"));
    }
    // The end of the header comes with it: a message without any header would else have no step that the library knows.
    let headers = if wanted.mark || wanted.verdict || wanted.message {
        ProtoOpts::NOREPLY_HEADER | ProtoOpts::NOREPLY_EOH
    } else {
        ProtoOpts::NO_HEADER | ProtoOpts::NO_EOH
    };
    let body = if wanted.message { ProtoOpts::SKIP } else { ProtoOpts::NO_BODY };
    session.skips = wanted.message && options.contains(ProtoOpts::SKIP);
    cx.requested_actions = needed | (actions & Actions::ADD_RCPT_EXT);
    cx.requested_opts = (NOT_NEEDED | NO_REPLY | headers | body) & options;
    // Only what is read here; an older protocol sends what the mail server was told to.
    if actions.contains(Actions::REQUEST_MACROS) {
        cx.requested_actions |= Actions::REQUEST_MACROS;
        cx.requested_macros.insert(MacroStage::Mail, c"{auth_authen}".to_owned());
        cx.requested_macros.insert(MacroStage::Rcpt, c"i".to_owned());
        cx.requested_macros.insert(MacroStage::Eom, c"i".to_owned());
    }
    cx.data = Some(session);
    Status::Continue
}

/// The address of MAIL or RCPT.
fn first(args: &[CString]) -> &[u8] {
    args.first().map_or(b"", |address| address.to_bytes())
}

fn queue(id: Option<&CStr>) -> Vec<u8> {
    id.map(CStr::to_bytes).unwrap_or_default().to_vec()
}

/// `550 5.7.1 text` for the library, in its three parts.
fn answered(reply: &mut impl SetErrorReply, answer: Answer) -> Status {
    match answer {
        Answer::Continue => Status::Continue,
        Answer::Later => Status::Tempfail,
        Answer::Refuse(text) => {
            let mut parts = text.splitn(3, ' ');
            let (code, extended) = (parts.next().unwrap_or_default(), parts.next());
            // A text of the core that the library did not take would leave the plain 550.
            let _ = reply.set_error_reply(code, extended, parts.next());
            if code.starts_with('4') { Status::Tempfail } else { Status::Reject }
        }
    }
}

async fn change(cx: &EomContext<Session>, changes: &Changes) -> Result<(), ()> {
    let text = |octets: &[u8]| CString::new(octets).map_err(|_| ());
    let bracketed = |address: &backstop::Address| text(&[b"<", address.as_bytes(), b">"].concat());
    if let Some(sender) = &changes.sender {
        cx.actions.change_sender(bracketed(sender)?, None::<CString>).await.map_err(|_| ())?;
    }
    for (given, address, notify) in &changes.recipients {
        cx.actions.delete_recipient(text(given)?).await.map_err(|_| ())?;
        // A mail server from before 2009 takes no arguments.
        let added = match notify {
            Some(notify) => cx.actions.add_recipient_ext(bracketed(address)?, Some(text(notify)?)).await,
            None => Err(ActionError::NotAvailable),
        };
        match added {
            Err(ActionError::NotAvailable) => cx.actions.add_recipient(bracketed(address)?).await,
            added => added,
        }
        .map_err(|_| ())?;
    }
    for change in &changes.headers {
        match change {
            Change::Delete(name, index) => {
                cx.actions.change_header(text(name.as_bytes())?, *index, None::<CString>).await
            }
            Change::Top(name, value) => {
                cx.actions.insert_header(0, text(name.as_bytes())?, text(value.as_bytes())?).await
            }
        }
        .map_err(|_| ())?;
    }
    Ok(())
}
