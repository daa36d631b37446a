//! What systemd is told: ready, reloading, stopping, alive. Without `$NOTIFY_SOCKET` nothing happens.
//!
//! systemd 252 (Debian 12) does not know `Type=notify-reload`; the messages of a reload are sent all the same, with the
//! monotonic time that newer ones want.

use std::time::Duration;

use sd_notify::NotifyState;

/// Everything is bound and the configuration is in force.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload begins; [`ready`] ends it, also when it was refused.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => send(&[NotifyState::Reloading, moment]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// The end begins.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Still alive.
pub fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that; half of what it allows.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|most| most / 2)
}

/// A systemd that does not listen cannot be helped.
fn send(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
