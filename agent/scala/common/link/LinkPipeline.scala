package livius.agent

import java.net.URI

import io.netty.channel.{Channel, ChannelHandler, ChannelInitializer}
import io.netty.handler.codec.http.{HttpClientCodec, HttpObjectAggregator}
import io.netty.handler.ssl.{SslContextBuilder, SslHandler}
import io.netty.handler.timeout.IdleStateHandler

/** Sets up one connection: TLS for `wss`, a watch for silence, HTTP for the handshake, and the
  * handler.
  */
final class LinkPipeline(server: URI, handler: ChannelHandler) extends ChannelInitializer[Channel] {

  import LinkPipeline._

  override def initChannel(channel: Channel): Unit = {
    val pipeline = channel.pipeline
    if (isTls(server)) pipeline.addLast(tls(channel))
    pipeline.addLast(new IdleStateHandler(LinkHandler.SilenceSeconds, 0, 0))
    pipeline.addLast(new HttpClientCodec(), new HttpObjectAggregator(64 * 1024))
    pipeline.addLast(LinkHandler.Name, handler)
  }

  // Uses the JVM's trust store and checks the host name, which Netty does by itself only since 4.2.
  private def tls(channel: Channel): SslHandler = {
    val made = SslContextBuilder.forClient().build().newHandler(channel.alloc, server.getHost, port(server))
    val parameters = made.engine.getSSLParameters
    parameters.setEndpointIdentificationAlgorithm("HTTPS")
    made.engine.setSSLParameters(parameters)
    made
  }
}

object LinkPipeline {

  def isTls(server: URI): Boolean = server.getScheme == "wss"

  def port(server: URI): Int =
    if (server.getPort >= 0) server.getPort else if (isTls(server)) 443 else 80
}
