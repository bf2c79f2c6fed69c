package livius.agent

/** Tells the server what the running statement prints, while its code runs.
  *
  * These notices may be lost: the statement's output document has everything. So the code never waits
  * for the server. If it prints faster than the notices go, the oldest text is dropped, and the server
  * sees that by the offsets.
  */
final class LiveOutput(events: SessionEvents) {

  import LiveOutput._

  private var pending = Vector.empty[Piece]
  private var pendingBytes = 0

  /** Starts the thread. The first text after a silence goes at once, later text a little later and
    * together.
    */
  def start(): Unit = Threads.daemon("live-output") {
    while (true) {
      synchronized(while (pending.isEmpty) wait())
      tell()
      Thread.sleep(PeriodMs)
    }
  }

  /** The streams of a statement that begins. */
  def of(statement: Int): LiveStreams =
    new LiveStreams(stream => new LiveStream((offset, bytes, text) => add(Piece(statement, stream, offset, bytes, text))), tell _)

  private def add(piece: Piece): Unit = synchronized {
    pending = pending.lastOption.flatMap(_.joined(piece)) match {
      case Some(both) => pending.init :+ both
      case None => pending :+ piece
    }
    pendingBytes += piece.bytes
    while (pendingBytes > MostBytes || pending.size > MostPieces) {
      pendingBytes -= pending.head.bytes
      pending = pending.tail
    }
    notifyAll()
  }

  private def tell(): Unit = synchronized {
    for (Piece(statement, stream, offset, bytes, text) <- pending) events.output(statement, stream, offset, bytes, text)
    pending = Vector.empty
    pendingBytes = 0
  }
}

object LiveOutput {

  /** The time between notices. */
  private val PeriodMs = 20L

  /** How much waits for the next notices, at most. */
  private[agent] val MostBytes = 64 * 1024
  private val MostPieces = 256

  /** A joined piece takes at most this many bytes, so that a fast writer loses small pieces. */
  private val JoinedBytes = 4096

  private final case class Piece(statement: Int, stream: String, offset: Long, bytes: Int, text: String) {

    /** This piece with the next one, if the two belong together. */
    def joined(next: Piece): Option[Piece] = {
      val follows = next.statement == statement && next.stream == stream && next.offset == offset + bytes
      if (follows && bytes + next.bytes <= JoinedBytes) Some(copy(bytes = bytes + next.bytes, text = text + next.text)) else None
    }
  }
}

/** The standard output and the standard error of one statement. */
final class LiveStreams(make: String => LiveStream, flush: () => Unit) {
  val out: LiveStream = make("stdout")
  val err: LiveStream = make("stderr")

  /** The code has ended: what is left goes before the end is told. */
  def finish(): Unit = {
    out.finish()
    err.finish()
    flush()
  }
}

object LiveStreams {

  /** Nobody is told. */
  def none: LiveStreams = new LiveStreams(_ => new LiveStream((_, _, _) => ()), () => ())
}

/** One stream of a statement, as text.
  *
  * @param tell gets the count of the bytes before a text, the count of its bytes, and the text
  */
final class LiveStream(tell: (Long, Int, String) => Unit) {
  import java.nio.charset.StandardCharsets.UTF_8

  private var offset = 0L
  // The beginning of a character whose rest has not been written yet.
  private var cut = Array.emptyByteArray

  def write(bytes: Array[Byte], from: Int, count: Int): Unit = synchronized {
    val fresh = java.util.Arrays.copyOfRange(bytes, from, from + count)
    val all = if (cut.isEmpty) fresh else cut ++ fresh
    val whole = all.length - LiveStream.cutAtEnd(all)
    val first = LiveStream.start(all, math.max(0, whole - LiveOutput.MostBytes))
    if (whole > first) tell(offset + first, whole - first, new String(all, first, whole - first, UTF_8))
    offset += whole
    cut = all.drop(whole)
  }

  def finish(): Unit = synchronized {
    if (cut.nonEmpty) tell(offset, cut.length, new String(cut, UTF_8))
    offset += cut.length
    cut = Array.emptyByteArray
  }
}

private[agent] object LiveStream {

  /** The number of bytes at the end that begin a character and do not complete it. */
  def cutAtEnd(bytes: Array[Byte]): Int = {
    val lead = (1 to math.min(3, bytes.length)).find(back => !isContinuation(bytes(bytes.length - back)))
    lead.filter(back => length(bytes(bytes.length - back)) > back).getOrElse(0)
  }

  /** The first beginning of a character from there on. */
  def start(bytes: Array[Byte], from: Int): Int = {
    var at = from
    while (at < bytes.length && at < from + 3 && isContinuation(bytes(at))) at += 1
    at
  }

  private def isContinuation(byte: Byte): Boolean = (byte & 0xc0) == 0x80

  private def length(lead: Byte): Int =
    if ((lead & 0xe0) == 0xc0) 2 else if ((lead & 0xf0) == 0xe0) 3 else if ((lead & 0xf8) == 0xf0) 4 else 1
}
