//! Who is asking, and what they may: passwords, sessions, and the one rule [`may`].

mod password;
mod rule;
mod token;

pub use password::{PasswordError, Passwords};
pub use rule::{Action, may};
pub use token::Token;
