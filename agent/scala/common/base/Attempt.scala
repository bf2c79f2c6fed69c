package livius.agent

import scala.annotation.tailrec
import scala.util.{Failure, Success, Try}

object Attempt {

  /** As Try, but also for linkage errors, which a wrong class path causes. */
  def apply[A](body: => A): Try[A] = try Success(body) catch { case error: Throwable => Failure(error) }

  /** Repeats the step until it succeeds: a step that fails because memory is short can succeed
    * later. An interrupt of the thread makes the next attempt earlier.
    */
  @tailrec
  def insist[A](what: String)(body: => A): A = Attempt(body) match {
    case Success(made) => made
    case Failure(error) =>
      Log.line(s"cannot $what, trying again: $error")
      Attempt(Thread.sleep(InsistEveryMs))
      insist(what)(body)
  }

  private val InsistEveryMs = 1000L
}
