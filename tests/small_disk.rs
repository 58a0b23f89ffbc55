//! A disk that can be filled: a file system in memory, which goes with the value. For tests of several members, which name this file by its path.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// It needs the right to mount: root's, or that of `sudo` without a password.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// # Panics
    /// Nothing may be mounted here: what is to be tried on a real file system is never passed over in silence.
    pub(crate) fn mount(mib: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = ["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"];
        assert!(
            with_rights("mount", &options, folder.path()),
            "this test mounts a file system of its own: run it as root, or leave it out by `--skip` and its name"
        );
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn remount(&self, how: &str) {
        let options = ["-o", &format!("remount,{how}")];
        assert!(with_rights("mount", &options, self.path()), "{how}");
    }

    /// Leaves no byte free; answers what takes them.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.path().join("somebody-elses-file");
        let mut file = File::create(&path).expect("a file");
        for piece in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = with_rights("umount", &["-l"], self.path());
    }
}

fn with_rights(program: &str, options: &[&str], folder: &Path) -> bool {
    let mut command = if nix::unistd::geteuid().is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", program]);
        sudo
    };
    let ended = command.args(options).arg(folder).status();
    ended.is_ok_and(|status| status.success())
}
