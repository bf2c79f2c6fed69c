package livius.agent

import scala.annotation.tailrec
import scala.util.{Failure, Success, Try}

object Attempt {

  /** As Try, which lets linkage errors through: those are what a wrong class path gives. */
  def apply[A](body: => A): Try[A] = try Success(body) catch { case error: Throwable => Failure(error) }

  /** Does it again and again until it succeeds: memory that has run out is there again later. */
  @tailrec
  def insist[A](what: String)(body: => A): A = Attempt(body) match {
    case Success(made) => made
    case Failure(error) =>
      Log.line(s"cannot $what, trying again: $error")
      Thread.sleep(InsistEveryMs)
      insist(what)(body)
  }

  private val InsistEveryMs = 1000L
}
