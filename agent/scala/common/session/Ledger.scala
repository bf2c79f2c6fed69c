package livius.agent

import java.util.LinkedHashMap

/** The state of the newest work of one kind: enough to answer a repeated command, and bounded for
  * any length of the session.
  *
  * @param isKept whether the event of that number is still unacknowledged
  */
final class Ledger(most: Int, isKept: Long => Boolean) {

  import Ledger._

  // Oldest first. The value is the number of the event that told the end; none while the work is
  // not over.
  private val work = new LinkedHashMap[Int, Option[Long]]()

  /** Records a command to do that work. */
  def admit(id: Int): Admission = synchronized {
    Option(work.get(id)) match {
      case None =>
        work.put(id, None)
        forgetOldest()
        New
      case Some(None) => InHand
      case Some(Some(end)) => if (isKept(end)) InHand else Lost
    }
  }

  /** Records the event that told the end. */
  def conclude(id: Int, end: Long): Unit = synchronized(work.replace(id, Some(end)): Unit)

  /** The work that is not over, oldest first. */
  def unfinished: Seq[Int] = synchronized {
    Javas.list(work.entrySet.iterator).filter(_.getValue.isEmpty).map(_.getKey)
  }

  private def forgetOldest(): Unit = if (work.size > most) {
    val oldest = work.entrySet.iterator
    oldest.next()
    oldest.remove()
  }
}

object Ledger {

  sealed trait Admission

  /** It was not known. */
  case object New extends Admission

  /** It was known, and the server will hear of its end. */
  case object InHand extends Admission

  /** It is over, and the server has acknowledged its end but does not know it. */
  case object Lost extends Admission
}
