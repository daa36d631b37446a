//! How the daemon ends in trouble: an exit code of sysexits.h and one sentence with what to do.

use std::fmt;
use std::process::ExitCode;

/// Why a run ends, by the numbers of sysexits.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command line cannot be understood.
    Usage = 64,
    /// The key ring, a file of data, is not usable.
    Data = 65,
    /// A file that was named is not there or cannot be read.
    NoInput = 66,
    /// The system refused something: a socket, a descriptor, a thread.
    Os = 71,
    /// A file or folder cannot be made.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// The mail server speaks another version of its protocol.
    Protocol = 76,
    /// The configuration is wrong.
    Config = 78,
}

/// Every exit code but that of `ready`, for people; `None` is 0.
pub const EXITS: [(Option<Exit>, &str); 9] = [
    (None, "All went well"),
    (Some(Exit::Usage), "The command line cannot be understood"),
    (Some(Exit::Data), "The key ring or the log is not usable"),
    (Some(Exit::NoInput), "A file that was named is not there or cannot be read"),
    (Some(Exit::Os), "The system refused something: a socket, a descriptor, a thread"),
    (Some(Exit::CannotCreate), "A file or folder cannot be made"),
    (Some(Exit::Io), "Reading or writing failed"),
    (Some(Exit::Protocol), "OpenSMTPD speaks another version of its protocol"),
    (Some(Exit::Config), "The configuration is wrong"),
];

/// The end of a run in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The exit code.
    pub exit: Exit,
    /// One sentence: what is wrong, where, what to do.
    pub sentence: String,
}

impl Stop {
    /// Trouble of this kind, with its sentence.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Stop {
        Stop { exit, sentence: sentence.into() }
    }

    /// A wrong configuration.
    pub fn config(sentence: impl Into<String>) -> Stop {
        Stop::new(Exit::Config, sentence)
    }

    /// The code for the shell.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
