package livius.agent

import java.util.LinkedHashMap

/** How far the newest work of one kind is: enough to answer a command that comes again, and bounded however long the session lives.
  *
  * @param isKept whether the server has not acknowledged the event of that number yet
  */
final class Ledger(most: Int, isKept: Long => Boolean) {

  import Ledger._

  // Oldest first. The number is that of the event that told the end; there is none while the work is not over.
  private val work = new LinkedHashMap[Int, Option[Long]]()

  /** Notes a command to do that work. */
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

  /** Notes in which event the end was told. */
  def conclude(id: Int, end: Long): Unit = synchronized(work.replace(id, Some(end)): Unit)

  /** What is not over, oldest first. */
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

  /** It was known, and the server hears of its end in any case. */
  case object InHand extends Admission

  /** It is over, and the server no longer hears of it: it has acknowledged the end and does not know it. */
  case object Lost extends Admission
}
