package livius.agent

import java.io.File
import java.util.concurrent.CountDownLatch

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.SparkConf

/** One driver's agent: connects to the server, brings the driver up as far as the launch document
  * says, and hands the server's commands to the part that they are for.
  */
final class Agent(launch: JsonNode, home: File) extends Receiver {

  private val settings = Settings.from(launch)
  private val outbox = new Outbox(settings.unacknowledgedBytes)
  private val link = new Link(settings, outbox, this)
  private val events = new Events(outbox, () => link.wake())
  private val beginning = new Beginning
  private val late = new LateSettings
  // The second is for commands that come while a primed driver begins.
  @volatile private var serving: Option[Serving] = None
  private var held = Vector.empty[JsonNode]
  private val started = new CountDownLatch(1)
  private val shutdown =
    new Shutdown(new SparkConf(), events, () => serving.foreach(_.close()), link, started, () => serving.flatMap(_.session))

  /** Runs until the driver is to end. Returns only in an application master, which waits for its main
    * thread. There the main thread brings nothing up: it must be able to return while the driver
    * still waits for its cluster.
    */
  def run(): Unit = {
    if (shutdown.inApplicationMaster) Threads.daemon("start")(start()): Unit else start()
    shutdown.await()
  }

  private def start(): Unit =
    try {
      if (settings.start == Settings.Primed) {
        link.start()
        bringUp(primed())
      } else {
        val made = prepared(settings)
        link.start()
        bringUp(made)
      }
    } finally started.countDown()

  /** Makes the JVM warm, and waits for a session. */
  private def primed(): Serving = {
    new Priming(settings, home).run(isWanted = () => beginning.hasOrder)
    if (!beginning.hasOrder) events.primed()
    val order = beginning.await()
    SessionConf.replace(order.conf)
    prepared(Settings.from(Settings.overlaid(launch, order.document)))
  }

  private def prepared(settings: Settings): Serving = synchronized {
    val made = new Serving(settings, home, outbox, link, events)
    serving = Some(made)
    held.foreach(made.command)
    held = Vector.empty
    made
  }

  private def bringUp(made: Serving): Unit = made.bringUp().left.foreach(failed => shutdown.failed(failed.phase, failed.error))

  override def command(frame: JsonNode): Unit = frame.path("type").asText match {
    case "stop" => shutdown.stop("stopped by the server")
    case "begin" => begin(BeginOrder.of(frame))
    case _ => synchronized(serving.fold(hold(frame))(_.command(frame)))
  }

  private def hold(frame: JsonNode): Unit =
    if (held.size < Agent.MostHeld) held :+= frame else Log.line("a command came before this driver had a session, and is ignored")

  // Spark may take its time with a setting, and this is the link's thread.
  private def begin(order: BeginOrder): Unit =
    if (settings.start == Settings.Primed) beginning.take(order)
    else Threads.daemon("begin")(events.begun(late.take(serving.flatMap(_.ready), order.conf))): Unit

  override def work: Seq[SessionWork] = serving.fold(Seq(SessionWork.none))(_.work)

  override def abandoned(why: String): Unit = shutdown.abandon(why)
}

private object Agent {
  private val MostHeld = 1000
}
