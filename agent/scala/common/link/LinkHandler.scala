package livius.agent

import java.net.URI

import io.netty.channel.{ChannelHandlerContext, SimpleChannelInboundHandler}
import io.netty.handler.codec.http.{DefaultHttpHeaders, FullHttpResponse}
import io.netty.handler.codec.http.websocketx._
import io.netty.handler.timeout.IdleStateEvent

/** One connection's events, from the handshake to its end. The [[Link]] makes all decisions. */
final class LinkHandler(link: Link, server: URI, request: ProvenRequest) extends SimpleChannelInboundHandler[AnyRef] {

  import LinkHandler._

  private val handshaker = WebSocketClientHandshakerFactory.newHandshaker(
    server, WebSocketVersion.V13, null, false, headers, LongestFrameBytes)
  private var silences = 0
  private var settled = false
  private var ending = "the server closed the connection"

  private def headers: DefaultHttpHeaders = {
    val made = new DefaultHttpHeaders()
    request.headers.foreach { case (name, value) => made.add(name, value) }
    made
  }

  override def channelActive(context: ChannelHandlerContext): Unit = handshaker.handshake(context.channel)

  override def channelInactive(context: ChannelHandlerContext): Unit = if (!settled) link.closed(context.channel, ending)

  override def channelWritabilityChanged(context: ChannelHandlerContext): Unit = {
    link.pump()
    super.channelWritabilityChanged(context)
  }

  override def channelRead0(context: ChannelHandlerContext, message: AnyRef): Unit = {
    silences = 0
    message match {
      case response: FullHttpResponse => answered(context, response)
      case frame: TextWebSocketFrame =>
        if (!link.received(context.channel, frame.text)) end(context, "the server sent a frame that is not of this protocol")
      case frame: PingWebSocketFrame => context.writeAndFlush(new PongWebSocketFrame(frame.content.retain()))
      case _: CloseWebSocketFrame => context.close()
      case _ => ()
    }
  }

  private def answered(context: ChannelHandlerContext, response: FullHttpResponse): Unit = {
    val status = response.status.code
    val header = (name: String) => Option(response.headers.get(name))
    if (!request.isProven(status, header)) end(context, s"HTTP $status came without the server's proof")
    else request.next(status, header, ProvenRequest.EmptyBody) match {
      case Some(next) => settle(context)(link.connect(server, next))
      case None => proven(context, response)
    }
  }

  private def proven(context: ChannelHandlerContext, response: FullHttpResponse): Unit =
    response.status.code match {
      case 101 =>
        handshaker.finishHandshake(context.channel, response)
        context.pipeline.addBefore(Name, "whole-frames", new WebSocketFrameAggregator(LongestFrameBytes))
        link.opened(context.channel)
      case 404 => settle(context)(link.refused())
      case status => end(context, s"the server answered HTTP $status to the agent")
    }

  /** Closes the connection, and the end of it tells the link nothing new. */
  private def settle(context: ChannelHandlerContext)(andThen: => Unit): Unit = {
    settled = true
    context.close()
    andThen
  }

  private def end(context: ChannelHandlerContext, why: String): Unit = {
    ending = why
    context.close()
  }

  override def userEventTriggered(context: ChannelHandlerContext, event: AnyRef): Unit = event match {
    case _: IdleStateEvent => silent(context)
    case other => super.userEventTriggered(context, other)
  }

  private def silent(context: ChannelHandlerContext): Unit = {
    silences += 1
    if (silences >= SilencesToDrop) end(context, "the server is silent")
    else if (handshaker.isHandshakeComplete) context.writeAndFlush(new PingWebSocketFrame())
  }

  override def exceptionCaught(context: ChannelHandlerContext, cause: Throwable): Unit =
    end(context, s"the connection to the server failed: $cause")
}

object LinkHandler {
  val Name = "livius"

  /** The silence after which the agent pings. After three times as long it closes the connection.
    */
  val SilenceSeconds = 15
  private val SilencesToDrop = 3

  /** A statement's code may have 32 MiB, and JSON writes some of its characters with six. A longer
    * frame would end each connection in turn, so the server sends none.
    */
  private val LongestFrameBytes = 256 << 20
}
