//! Who is asking, and what they may: passwords, sessions, throttling of log-ins, and the one rule [`may`].

mod password;
mod rule;
mod throttle;
mod token;

pub use password::{PasswordError, Passwords};
pub use rule::{Action, may};
pub use throttle::Throttle;
pub use token::Token;
