use super::*;
use crate::commission::target;
use davy_wire::node::SlotState;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

fn image(address: u32) -> Vec<u8> {
    let head = ImageHead {
        board: 1,
        version: [1, 2, 3],
        flags: 0,
        address,
        length: 1_032,
        crc: 0,
    };
    let mut image = vec![0; 64];
    image.extend(head.to_bytes());
    image.resize(1_032, 0xff);
    image
}

#[test]
fn an_update_file_is_images_one_after_the_other_and_nothing_else() {
    let file = [image(0x1_0000), image(0x2_0000)].concat();
    let found = images(&file).expect("two images");
    let addresses: Vec<u32> = found.iter().map(|(head, _)| head.address).collect();
    assert_eq!(addresses, [0x1_0000, 0x2_0000]);
    assert!(found.iter().all(|(_, bytes)| bytes.len() == 1_032));
    assert!(images(&file[..2_000]).is_none(), "cut short");
    assert!(images(&[file, vec![0]].concat()).is_none());
    assert!(images(&[]).is_none());
}

#[test]
fn a_block_names_its_place_and_ends_with_the_image() {
    let words = block(&[1, 2, 3, 4], 0);
    assert_eq!(&words[..5], &[0, 0, 0x0102, 0x0304, 0xffff]);
}

/// What the line does to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loses {
    Nothing,
    TheQuestion,
    TheAnswer,
}

/// A node whose slot 1 is received, until a commit comes through.
struct Peer {
    lost: Vec<Loses>,
    commits: usize,
    state: SlotState,
}

impl Peer {
    /// The answer to a request of one function, if the line brings one.
    fn answer(&mut self, pdu: &[u8]) -> Option<Vec<u8>> {
        if pdu[0] == 4 {
            let at = u16::from_be_bytes([pdu[1], pdu[2]]);
            let count = u16::from_be_bytes([pdu[3], pdu[4]]);
            let second_state = register(Id::SlotStates).address + 1;
            let word = |nth| {
                if at + nth == second_state {
                    u16::from(self.state.code())
                } else {
                    0
                }
            };
            let words = (0..count).flat_map(|nth| word(nth).to_be_bytes());
            return Some([4, (count * 2) as u8].into_iter().chain(words).collect());
        }
        let loses = self.lost.get(self.commits).copied();
        let loses = loses.unwrap_or(Loses::Nothing);
        self.commits += 1;
        if loses == Loses::TheQuestion {
            return None;
        }
        // It has locked itself with the first: another is refused.
        let answer = match std::mem::replace(&mut self.state, SlotState::Ordered) {
            SlotState::Received => pdu[..5].to_vec(),
            _ => vec![pdu[0] | 0x80, 1],
        };
        (loses == Loses::Nothing).then_some(answer)
    }
}

async fn serve(mut socket: TcpStream, peer: Arc<Mutex<Peer>>) -> std::io::Result<()> {
    loop {
        let mut head = [0; 7];
        socket.read_exact(&mut head).await?;
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
        socket.read_exact(&mut pdu).await?;
        let answer = peer.lock().expect("nobody panics with it").answer(&pdu);
        if let Some(answer) = answer {
            let length = (answer.len() as u16 + 1).to_be_bytes();
            head[4..6].copy_from_slice(&length);
            socket.write_all(&[&head[..], &answer].concat()).await?;
        }
    }
}

/// How a commit ends over such a line, and how many the node was sent.
async fn committed(lost: &[Loses]) -> (Option<Outcome>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let peer = Arc::new(Mutex::new(Peer {
        lost: lost.to_vec(),
        commits: 0,
        state: SlotState::Received,
    }));
    let own = peer.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, own.clone()));
        }
    });
    let mut talk = Talk::new(target::host(&at), 1);
    let ended = commit(&mut talk, 7, 1).await.expect("it came through");
    let commits = peer.lock().expect("nobody panics with it").commits;
    (ended, commits)
}

#[tokio::test]
async fn a_commit_is_asked_again_where_it_was_lost_and_never_where_its_answer_was() {
    assert_eq!(committed(&[]).await, (None, 1));
    let twice = [Loses::TheQuestion, Loses::TheQuestion];
    assert_eq!(committed(&twice).await, (None, 3));
    assert_eq!(committed(&[Loses::TheAnswer]).await, (None, 1));
}
