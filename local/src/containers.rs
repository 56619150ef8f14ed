//! A way in for functions in containers. Everything is served on loopback, which a container does not reach; what comes
//! to the host's address on the containers' network is passed on to it, byte for byte.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on: those to `address`, at the port at which `served` listens. It ends with the program.
pub async fn pass_on(address: IpAddr, served: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind((address, served.port())).await?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((from_container, _)) => {
                    tokio::spawn(connect(from_container, served));
                }
                Err(error) => tracing::warn!(%error, "a container's connection was not taken"),
            }
        }
    });
    Ok(())
}

async fn connect(mut from_container: TcpStream, served: SocketAddr) {
    let passed = async {
        let mut to_us = TcpStream::connect(served).await?;
        copy_bidirectional(&mut from_container, &mut to_us).await
    };
    if let Err(error) = passed.await {
        tracing::debug!(%error, "a container's connection broke");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_a_container_sends_arrives_and_is_answered() {
        let served = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = served.local_addr().unwrap();
        // Another address of this machine's own, as a bridge's is.
        let bridge: IpAddr = "127.0.0.2".parse().unwrap();
        pass_on(bridge, at).await.unwrap();
        let mut container = TcpStream::connect((bridge, at.port())).await.unwrap();
        container.write_all(b"ping").await.unwrap();
        let (mut received, mut buffer) = (served.accept().await.unwrap().0, [0; 4]);
        received.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"ping");
        received.write_all(b"pong").await.unwrap();
        container.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"pong");
    }
}
