// Runs statements with an outbox that is full from the beginning and a link that is
// never connected: each event waits for room, and an interrupt of the waiting thread is its failure.
object ToldBadly {
  import livius.agent._

  private object Ignoring extends Receiver {
    def command(frame: com.fasterxml.jackson.databind.JsonNode): Unit = ()
    def work: Seq[SessionWork] = Nil
    def abandoned(why: String): Unit = ()
  }

  private val settings = Settings.from(Json.parse("""{"driver":"none","servers":["ws://127.0.0.1:1"],"token":"none","kind":"shared"}"""))
  private val outbox = new Outbox(0)
  private val events = new SessionEvents(None, outbox, new Link(settings, outbox, Ignoring))
  private val statements = {
    val (jobs, groups, shared) = (new SparkJobs, new JobGroups(Some(1)), new SharedSpark)
    val context = new ContextWatch(shared, jobs, () => false, _ => (), _ => ())
    new Statements(
      new Interpreters(settings, () => shared.await, null, groups), jobs, groups, events, new Cancellation(settings, jobs), context,
      new LiveOutput(events))
  }

  private def threads = Javas.list(Thread.getAllStackTraces.keySet.iterator).toSet
  private val thread = {
    val before = threads
    statements.start(())
    (threads -- before).find(_.getName == "livius-statements").get
  }

  private def is(where: String): Boolean = thread.getStackTrace.exists(_.getClassName.endsWith(where))

  private def until[T](look: => Option[T]): T = {
    val deadline = System.nanoTime + 30L * 1000000000
    var found = look
    while (found.isEmpty) {
      if (System.nanoTime > deadline) sys.error("not within 30 s; the thread: " + thread.getStackTrace.mkString(" "))
      Thread.sleep(5)
      found = look
    }
    found.get
  }

  /** The event that tells the end of a statement, of which none can be told in the usual way. */
  def end(statement: Int): String = {
    statements.submit(Statement(statement, "none", "", Gate.opened))
    val (seq, frame) = until {
      if (is(".Outbox")) thread.interrupt()
      outbox.after(0)
    }
    outbox.acknowledge(seq)
    new String(frame, "UTF-8")
  }

  def interruptWhileIdle(): Unit = {
    until(if (is(".ArrayBlockingQueue")) Some(()) else None)
    thread.interrupt()
    until(if (thread.isInterrupted) None else Some(()))
  }
}
println(ToldBadly.end(1))
ToldBadly.interruptWhileIdle()
println(ToldBadly.end(2))
