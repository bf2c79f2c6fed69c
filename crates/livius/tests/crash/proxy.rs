//! The network between agents and the server: it loses connections, stalls, cuts frames and sends frames
//! twice, as the seed says.
//!
//! A frame is a frame of a WebSocket. Bytes before the first one, and those of other requests, pass as
//! they are.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::chance::Chance;

/// One connection in so many has a fault.
const ONE_IN: u64 = 3;

/// A fault comes at one of the first frames of its direction.
const FRAMES: u64 = 24;

/// The longest time that a frame is held back, in milliseconds.
const LONGEST_STALL: u64 = 700;

/// The fault that one frame meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is lost before it.
    Drop,
    /// It comes late.
    Stall,
    /// The connection is lost in its middle.
    Cut,
    /// It comes twice.
    Double,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Drop, Self::Stall, Self::Cut, Self::Double];
}

/// The faults of one direction: what happens to which frame, and how long a frame is held back.
type Plan = Option<(Fault, u64, Duration)>;

/// The network.
pub struct Proxy {
    port: u16,
    server: u16,
    chance: Mutex<Chance>,
    is_faulty: AtomicBool,
    /// How often each fault has come.
    counts: [AtomicU64; Fault::ALL.len()],
}

impl Proxy {
    /// Begins to listen. The connections go on to the server's port.
    pub fn start(server: u16, seed: u64) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            server,
            chance: Mutex::new(Chance::new(seed)),
            is_faulty: AtomicBool::new(true),
            counts: Default::default(),
        });
        let this = Arc::clone(&proxy);
        std::thread::spawn(move || {
            for agent in listener.incoming().flatten() {
                this.carry(&agent);
            }
        });
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections that begin from now on may have a fault.
    pub fn set_faulty(&self, is_faulty: bool) {
        self.is_faulty.store(is_faulty, Ordering::Relaxed);
    }

    /// How often each fault has come.
    pub fn faults(&self) -> [(Fault, u64); Fault::ALL.len()] {
        Fault::ALL.map(|fault| (fault, self.count(fault).load(Ordering::Relaxed)))
    }

    fn count(&self, fault: Fault) -> &AtomicU64 {
        &self.counts[fault as usize]
    }

    fn carry(self: &Arc<Self>, agent: &TcpStream) {
        // Without a server the agent sees that its connection is closed.
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else {
            return;
        };
        let [up, down] = self.plans();
        for (from, to, plan) in [(agent, &server, up), (&server, agent, down)] {
            let _ = from.set_nodelay(true);
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
                return;
            };
            let this = Arc::clone(self);
            std::thread::spawn(move || {
                let _ = this.pump(&from, &to, plan);
                // Both directions end together, as those of a connection that is lost.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }

    /// At most one of the directions has a fault.
    fn plans(&self) -> [Plan; 2] {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        if chance.below(ONE_IN) > 0 || !self.is_faulty.load(Ordering::Relaxed) {
            return [None, None];
        }
        let fault = self.rarest(&mut chance);
        let stall = Duration::from_millis(chance.below(LONGEST_STALL));
        let plan = Some((fault, chance.below(FRAMES), stall));
        match chance.below(2) {
            0 => [plan, None],
            _ => [None, plan],
        }
    }

    /// One of the faults that have come least often.
    fn rarest(&self, chance: &mut Chance) -> Fault {
        let faults = self.faults();
        let least = faults.iter().map(|(_, count)| *count).min();
        let rare = faults.iter().filter(|(_, count)| Some(*count) == least);
        let rare: Vec<Fault> = rare.map(|(fault, _)| *fault).collect();
        *chance.one_of(&rare).unwrap()
    }

    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, plan: Plan) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 << 10];
        let mut has_frames = None;
        let mut frame = 0;
        loop {
            let count = from.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&buffer[..count]);
            if has_frames.is_none() {
                let Some(end) = end_of_head(&bytes) else {
                    continue;
                };
                let head: Vec<u8> = bytes.drain(..end).collect();
                has_frames = Some(is_upgrade(&head));
                to.write_all(&head)?;
            }
            if has_frames == Some(false) {
                to.write_all(&bytes)?;
                bytes.clear();
                continue;
            }
            while let Some(length) = frame_length(&bytes).filter(|length| *length <= bytes.len()) {
                let whole: Vec<u8> = bytes.drain(..length).collect();
                let fault = plan.filter(|(_, at, _)| *at == frame);
                frame += 1;
                let Some((fault, _, stall)) = fault else {
                    to.write_all(&whole)?;
                    continue;
                };
                self.count(fault).fetch_add(1, Ordering::Relaxed);
                match fault {
                    Fault::Drop => return Ok(()),
                    Fault::Cut => return to.write_all(&whole[..length / 2]),
                    Fault::Double => to.write_all(&whole)?,
                    Fault::Stall => std::thread::sleep(stall),
                }
                to.write_all(&whole)?;
            }
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let found = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    found.map(|at| at + 4)
}

/// Whether frames follow a head. A server that refuses answers without one.
fn is_upgrade(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.starts_with("http/1.1 101") || head.contains("upgrade: websocket")
}

/// The length of the first frame (RFC 6455, 5.2). `None` while too little of it is there.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let second = usize::from(*bytes.get(1)?);
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (head, payload) = match second & 0x7f {
        126 => {
            let two = bytes.get(2..4)?;
            (4, usize::from(u16::from_be_bytes([two[0], two[1]])))
        }
        127 => {
            let eight = bytes.get(2..10)?.try_into().unwrap();
            (10, usize::try_from(u64::from_be_bytes(eight)).unwrap())
        }
        short => (2, short),
    };
    Some(head + mask + payload)
}
