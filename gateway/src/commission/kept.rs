//! Files that are whole at every moment, as both daemons keep them.

pub(crate) use davy_print::{beside, folder_of as folder, replace};
