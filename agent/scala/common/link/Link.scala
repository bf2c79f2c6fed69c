package livius.agent

import java.net.URI
import java.util.concurrent.TimeUnit

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.netty.bootstrap.Bootstrap
import io.netty.buffer.Unpooled
import io.netty.channel.{Channel, ChannelFuture, ChannelFutureListener, ChannelOption}
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame
import org.apache.spark.network.util.{IOMode, NettyUtils}

/** The WebSocket to the server: connects, sends the hello, sends the outbox's events, and connects
  * again when the connection is lost.
  *
  * All state belongs to one Netty thread, so that nothing here needs a lock and nothing may block.
  */
final class Link(settings: Settings, outbox: Outbox, receiver: Receiver) {

  import Link._

  private val facts = DriverFacts.gather()
  // Spark's own helper, because the class names differ between the Netty versions that Sparks ship.
  private val group = NettyUtils.createEventLoop(IOMode.NIO, 1, "livius-link")
  private val loop = group.next()

  private var welcomed: Option[Channel] = None
  private var sentSeq = 0L
  private var attempts = 0
  private var delayMs = FirstDelayMs
  private var lastContact = System.nanoTime
  @volatile private var ended = false

  def start(): Unit = loop.execute(() => connect())

  /** Sends new events of the outbox soon. */
  def wake(): Unit = loop.execute(() => pump())

  /** Sends a frame that may be lost: drops it if the socket does not take it at once. */
  def notice(frame: ObjectNode): Unit = loop.execute { () =>
    welcomed.filter(_.isWritable).foreach { channel =>
      write(channel, Json.frame(frame))
      channel.flush()
    }
  }

  /** Ends the link for good. */
  def end(): Unit = {
    ended = true
    loop.execute(() => welcomed.foreach(_.close()))
  }

  private def connect(): Unit = if (!ended) {
    val server = new URI(settings.servers(attempts % settings.servers.size))
    attempts += 1
    connect(server, ProvenRequest.first(settings.proof, Purpose))
  }

  private[agent] def connect(server: URI, request: ProvenRequest): Unit =
    bootstrap(server, request).addListener(new ChannelFutureListener {
      def operationComplete(done: ChannelFuture): Unit =
        if (!done.isSuccess) retry(s"cannot connect to $server: ${done.cause.getMessage}")
    }): Unit

  private def bootstrap(server: URI, request: ProvenRequest): ChannelFuture =
    new Bootstrap()
      .group(group)
      .channel(NettyUtils.getClientChannelClass(IOMode.NIO))
      .option[Integer](ChannelOption.CONNECT_TIMEOUT_MILLIS, ConnectTimeoutMs)
      .handler(new LinkPipeline(server, new LinkHandler(this, server, request)))
      .connect(server.getHost, LinkPipeline.port(server))

  private def retry(why: String): Unit = if (!ended) {
    if (attempts == 1) Log.line(s"$why; trying again")
    val graceLeftMs = settings.graceSeconds * 1000L - (System.nanoTime - lastContact) / 1000000
    if (graceLeftMs <= 0) giveUp(s"no contact with the server for ${settings.graceSeconds} s")
    else {
      loop.schedule((() => connect()): Runnable, math.min(delayMs, graceLeftMs), TimeUnit.MILLISECONDS)
      delayMs = math.min(delayMs * 2, LongestDelayMs)
    }
  }

  private def giveUp(why: String): Unit = {
    ended = true
    receiver.abandoned(why)
  }

  // The LinkHandler calls the methods below, on the Netty thread.

  private[agent] def opened(channel: Channel): Unit = {
    write(channel, Json.frame(Frames.hello(settings, facts, outbox.range, receiver.work)))
    channel.flush()
  }

  /** The server has proved that the driver's session is over. */
  private[agent] def refused(): Unit = giveUp("the server says that the session of this driver is over")

  private[agent] def closed(channel: Channel, why: String): Unit = if (!ended) {
    if (welcomed.exists(_ eq channel)) {
      welcomed = None
      lastContact = System.nanoTime
      Log.line(s"the connection to the server was lost: $why")
    }
    retry(why)
  }

  /** Takes one text frame; false when it is not of the protocol. */
  private[agent] def received(channel: Channel, text: String): Boolean =
    parse(text) match {
      case Some(frame) => dispatch(channel, frame)
      case None => false
    }

  private def parse(text: String): Option[JsonNode] =
    try Option(Json.parse(text)).filter(frame => frame.isObject && frame.path("v").asInt(Frames.Version) == Frames.Version)
    catch { case _: java.io.IOException => None }

  private def dispatch(channel: Channel, frame: JsonNode): Boolean = {
    val kind = frame.path("type").asText
    val isDue = kind == "welcome" || welcomed.exists(_ eq channel)
    if (isDue) kind match {
      case "welcome" => welcome(channel, frame.path("acked").asLong)
      case "ack" => outbox.acknowledge(frame.path("seq").asLong)
      case _ => receiver.command(frame)
    }
    isDue
  }

  private def welcome(channel: Channel, acked: Long): Unit = {
    outbox.acknowledge(acked)
    sentSeq = acked
    welcomed = Some(channel)
    attempts = 0
    delayMs = FirstDelayMs
    pump()
  }

  /** Sends new events until the socket takes no more. Called again when the socket takes more. */
  private[agent] def pump(): Unit = welcomed.foreach { channel =>
    var next = outbox.after(sentSeq)
    while (next.isDefined && channel.isWritable) {
      val (seq, bytes) = next.get
      // Noted first: a write may call back into here when it fills the socket.
      sentSeq = seq
      write(channel, bytes)
      next = outbox.after(sentSeq)
    }
    channel.flush()
  }

  private def write(channel: Channel, bytes: Array[Byte]): Unit =
    channel.write(new TextWebSocketFrame(Unpooled.wrappedBuffer(bytes))).addListener(closeOnFailure): Unit

  // One frame can fail alone, for example when memory runs out while it is encoded. The frames
  // behind it would arrive, so the connection is closed and the next one sends them all again.
  private val closeOnFailure = new ChannelFutureListener {
    def operationComplete(done: ChannelFuture): Unit = if (!done.isSuccess && done.channel.isOpen) {
      Log.line(s"a frame could not be sent to the server: ${done.cause}")
      done.channel.close(): Unit
    }
  }
}

object Link {
  private val FirstDelayMs = 100L
  private val LongestDelayMs = 5000L
  private val ConnectTimeoutMs: Integer = 10000

  /** The purpose of the request, for its proof. */
  private val Purpose = "connect"
}

/** Acts on the server's frames. Called on the link's thread, so it must not block. */
trait Receiver {
  def command(frame: JsonNode): Unit

  /** The work that each session has in hand, for the hello. */
  def work: Seq[SessionWork]

  /** The server has refused this driver, or could not be reached for the grace time. */
  def abandoned(why: String): Unit
}
