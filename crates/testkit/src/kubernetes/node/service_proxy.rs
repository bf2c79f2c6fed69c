//! Leads the cluster's address of the API server to its port, as the proxy of each node does.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::kubernetes::site::SERVICE_PORT;

/// Binds the address that pods know. Needs root, because of the port.
pub async fn bind(address: &str, api_server: u16) -> impl Future<Output = ()> + Send + 'static {
    let listener = TcpListener::bind((address, SERVICE_PORT)).await.unwrap();
    async move {
        let mut connections = JoinSet::new();
        loop {
            let Ok((mut client, _)) = listener.accept().await else {
                continue;
            };
            connections.spawn(async move {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, api_server)).await;
                if let Ok(mut server) = server {
                    // A connection that breaks is the clients' to repeat.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
            while connections.try_join_next().is_some() {}
        }
    }
}
