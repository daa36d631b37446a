//! The numbers of `policy.rs`, with their words.

use std::ffi::{CStr, c_char};

use backstop_core::policy::{Action, Client, Mode, Need, Origin, RefuseAt};

use crate::verdict::word_or_unknown;

/// # What a policy is asked and answers
///
/// Origin: from an authenticated client or the own network. Signed.
pub const BACKSTOP_ORIGIN_SUBMITTED: i32 = 1;
/// Origin: from the mail system itself or a program on its host. Signed.
pub const BACKSTOP_ORIGIN_INTERNAL: i32 = 2;
/// Origin: from anyone else. Never signed, or whoever forges an own sender through a forward would get a valid tag.
pub const BACKSTOP_ORIGIN_INBOUND: i32 = 3;
/// Origin: nobody knows. Never signed.
pub const BACKSTOP_ORIGIN_UNKNOWN: i32 = 4;

/// Client: the mail system itself. Never refused.
pub const BACKSTOP_CLIENT_INTERNAL: i32 = 1;
/// Client: listed as exempt. Never refused.
pub const BACKSTOP_CLIENT_EXEMPT: i32 = 2;
/// Client: anyone else.
pub const BACKSTOP_CLIENT_OTHER: i32 = 3;
/// Client: a user, authenticated or in the own network. Never refused.
pub const BACKSTOP_CLIENT_SUBMITTED: i32 = 4;

/// Mode: sign nothing, refuse nothing; genuine tags of former days are still taken off.
pub const BACKSTOP_MODE_OFF: i32 = 1;
/// Mode: sign, refuse nothing.
pub const BACKSTOP_MODE_SIGN: i32 = 2;
/// Mode: sign, and say what would be refused.
pub const BACKSTOP_MODE_OBSERVE: i32 = 3;
/// Mode: sign, and refuse.
pub const BACKSTOP_MODE_ENFORCE: i32 = 4;

/// Action: let the recipient pass as it is.
pub const BACKSTOP_ACTION_UNCHANGED: i32 = 1;
/// Action: deliver to `address`, the mailbox under the tag.
pub const BACKSTOP_ACTION_STRIP: i32 = 2;
/// Action: send on to `address`, to which the SRS address returns.
pub const BACKSTOP_ACTION_REVERSE: i32 = 3;
/// Action: refuse with `reply`.
pub const BACKSTOP_ACTION_REFUSE: i32 = 4;

/// Refuse at RCPT.
pub const BACKSTOP_REFUSE_AT_RCPT: i32 = 1;
/// Refuse at DATA, where sender call-outs are gone; a host that cannot refuses at RCPT.
pub const BACKSTOP_REFUSE_AT_DATA: i32 = 2;
/// Refuse after the message, which is judged as well (`by_message` of backstop_decision).
pub const BACKSTOP_REFUSE_AT_MESSAGE: i32 = 3;

/// Need: to refuse at all, since the mode is or will be enforce.
pub const BACKSTOP_NEED_REFUSE: i32 = 1;
/// Need: to wait with a refusal for DATA.
pub const BACKSTOP_NEED_REFUSE_AT_DATA: i32 = 2;
/// Need: to wait with a refusal for the end of the message.
pub const BACKSTOP_NEED_REFUSE_AT_MESSAGE: i32 = 3;
/// Need: to know the client of mail that comes in.
pub const BACKSTOP_NEED_CLIENT: i32 = 4;
/// Need: to know the sender of mail that comes in.
pub const BACKSTOP_NEED_SENDER: i32 = 5;
/// Need: to know the client of mail that leaves.
pub const BACKSTOP_NEED_OWN_NETWORK: i32 = 6;
/// Need: to know all recipients of a mail when its sender is decided.
pub const BACKSTOP_NEED_RECIPIENTS: i32 = 7;
/// Need: to know the recipient that forwards a mail.
pub const BACKSTOP_NEED_FORWARDER: i32 = 8;

/// # Words of a policy
///
/// The word of a BACKSTOP_ORIGIN_*, such as "submitted". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_origin_name(origin: i32) -> *const c_char {
    word_or_unknown(origin_word(origin))
}

/// The word of a BACKSTOP_CLIENT_*, such as "exempt". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_client_name(client: i32) -> *const c_char {
    word_or_unknown(client_word(client))
}

/// The word of a BACKSTOP_MODE_*, such as "observe". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_mode_name(mode: i32) -> *const c_char {
    word_or_unknown(mode_word(mode))
}

/// The word of a BACKSTOP_ACTION_*, such as "strip". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_action_name(action: i32) -> *const c_char {
    word_or_unknown(action_word(action))
}

/// The word of a BACKSTOP_REFUSE_AT_*, such as "data". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_refuse_at_name(refuse_at: i32) -> *const c_char {
    word_or_unknown(refuse_at_word(refuse_at))
}

/// The key of a policy that a BACKSTOP_NEED_* comes from, such as "exempt-clients", or "refuse-at = \"data\"" where
/// only that value has the need. Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_need_name(need: i32) -> *const c_char {
    word_or_unknown(need_word(need))
}

pub(crate) const fn action_number(action: &Action) -> i32 {
    match action {
        Action::Unchanged => BACKSTOP_ACTION_UNCHANGED,
        Action::Strip(_) => BACKSTOP_ACTION_STRIP,
        Action::Reverse(_) => BACKSTOP_ACTION_REVERSE,
        Action::Refuse => BACKSTOP_ACTION_REFUSE,
    }
}

const fn action_word(action: i32) -> Option<&'static CStr> {
    Some(match action {
        BACKSTOP_ACTION_UNCHANGED => c"unchanged",
        BACKSTOP_ACTION_STRIP => c"strip",
        BACKSTOP_ACTION_REVERSE => c"reverse",
        BACKSTOP_ACTION_REFUSE => c"refuse",
        _ => return None,
    })
}

numbers!(origin_number(Origin), { origin_word: as_str }, {
    BACKSTOP_ORIGIN_SUBMITTED => Origin::Submitted,
    BACKSTOP_ORIGIN_INTERNAL => Origin::Internal,
    BACKSTOP_ORIGIN_INBOUND => Origin::Inbound,
    BACKSTOP_ORIGIN_UNKNOWN => Origin::Unknown,
});

numbers!(client_number(Client), { client_word: as_str }, {
    BACKSTOP_CLIENT_INTERNAL => Client::Internal,
    BACKSTOP_CLIENT_EXEMPT => Client::Exempt,
    BACKSTOP_CLIENT_OTHER => Client::Other,
    BACKSTOP_CLIENT_SUBMITTED => Client::Submitted,
});

numbers!(mode_number(Mode), { mode_word: as_str }, {
    BACKSTOP_MODE_OFF => Mode::Off,
    BACKSTOP_MODE_SIGN => Mode::Sign,
    BACKSTOP_MODE_OBSERVE => Mode::Observe,
    BACKSTOP_MODE_ENFORCE => Mode::Enforce,
});

numbers!(refuse_at_number(RefuseAt), { refuse_at_word: as_str }, {
    BACKSTOP_REFUSE_AT_RCPT => RefuseAt::Rcpt,
    BACKSTOP_REFUSE_AT_DATA => RefuseAt::Data,
    BACKSTOP_REFUSE_AT_MESSAGE => RefuseAt::Message,
});

numbers!(need_number(Need), { need_word: key }, {
    BACKSTOP_NEED_REFUSE => Need::Refuse,
    BACKSTOP_NEED_REFUSE_AT_DATA => Need::RefuseAtData,
    BACKSTOP_NEED_REFUSE_AT_MESSAGE => Need::RefuseAtMessage,
    BACKSTOP_NEED_CLIENT => Need::Client,
    BACKSTOP_NEED_SENDER => Need::Sender,
    BACKSTOP_NEED_OWN_NETWORK => Need::OwnNetwork,
    BACKSTOP_NEED_RECIPIENTS => Need::Recipients,
    BACKSTOP_NEED_FORWARDER => Need::Forwarder,
});
