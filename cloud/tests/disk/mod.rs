//! A disk that can be filled: a file system of its own, which goes with the value.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file system in memory. It needs the right to mount, which a build machine's root has.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn mount(mib: u32) -> Self {
        let folder = tempfile::tempdir().expect("a file");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::inherit())
            .status();
        assert!(
            mount.is_ok_and(|status| status.success()),
            "this test mounts a file system of its own: run it as root, or leave it out with `--skip full`"
        );
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
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
        let _gone = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
