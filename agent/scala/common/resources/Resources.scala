package livius.agent

import java.util.concurrent.ArrayBlockingQueue

/** A file to add to the session. Without a URI it was uploaded. */
final case class Resource(id: Int, isLibrary: Boolean, name: String, uri: Option[String])

/** Adds files to the session, one after the other, on one thread. */
final class Resources(files: SessionFiles, events: SessionEvents) {

  import Resources._

  private val waiting = new ArrayBlockingQueue[(Resource, Gate)](MostWaiting)
  private val ledger = new Ledger(MostWaiting * 4, events.isKept)
  @volatile private var newest = Gate.opened

  /** Opens when every file submitted so far has been dealt with. */
  def soFar: Gate = newest

  /** Queues a file unless it is known: commands may arrive twice. Does not wait. */
  def submit(resource: Resource): Unit = ledger.admit(resource.id) match {
    case Ledger.New => take(resource)
    case Ledger.InHand => ()
    case Ledger.Lost => refuse(resource.id, Lost)
  }

  private def take(resource: Resource): Unit = {
    val done = new Gate
    if (waiting.offer((resource, done))) newest = done
    else refuse(resource.id, s"$MostWaiting files are waiting to be added: try again later")
  }

  private def refuse(id: Int, why: String): Unit = ledger.conclude(id, events.resourceRefused(id, why))

  def start(): Unit = Threads.daemon("resources") {
    while (true) one()
  }: Unit

  // No failure here may end the thread: without it the session would hang.
  private def one(): Unit =
    try {
      val (resource, done) = waiting.take()
      val problem = try { files.add(resource); None } catch { case error: Throwable => Some(words(resource, error)) }
      done.open()
      ledger.conclude(resource.id, Attempt.insist("tell what came of a file")(events.resourceAdded(resource.id, problem)))
    } catch { case error: Throwable => Log.line("a resource ended badly", error) }

  private def words(resource: Resource, error: Throwable): String = {
    val told = error match {
      case _: ResourceUnavailable | _: NameTaken => error.getMessage
      case _ => error.toString
    }
    Log.line(s"resource ${resource.id} cannot be added: $told")
    StackTraces.bounded(told, MostErrorBytes)
  }
}

object Resources {
  private val MostWaiting = 1024
  private val MostErrorBytes = 8 * 1024
  private val Lost = "the driver has dealt with this file, but the server has lost the outcome: add it again"
}
