package livius.agent

import java.util.concurrent.ArrayBlockingQueue

/** A file for the session, as the server told of it. Without a URI it was uploaded. */
final case class Resource(id: Int, isLibrary: Boolean, name: String, uri: Option[String])

/** Adds files to the session, one after the other, on one thread. */
final class Resources(files: SessionFiles, events: Events) {

  import Resources._

  private val waiting = new ArrayBlockingQueue[(Resource, Gate)](MostWaiting)
  private val known = new RecentIds(MostWaiting * 4)
  @volatile private var newest = Gate.opened

  /** Is open when all that was submitted until now has been dealt with. */
  def soFar: Gate = newest

  /** Takes a file to add, unless it was taken before: commands may arrive twice. Does not wait for anything. */
  def submit(resource: Resource): Unit = if (known.add(resource.id)) {
    val done = new Gate
    if (waiting.offer((resource, done))) newest = done
    else events.resourceRefused(resource.id, s"$MostWaiting files are waiting to be added: try again later")
  }

  def start(): Unit = Threads.daemon("resources") {
    while (true) one()
  }: Unit

  // Nothing that happens here may end the thread: without it the session would hang.
  private def one(): Unit =
    try {
      val (resource, done) = waiting.take()
      val problem = try { files.add(resource); None } catch { case error: Throwable => Some(words(resource, error)) }
      done.open()
      events.resourceAdded(resource.id, problem)
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
}
