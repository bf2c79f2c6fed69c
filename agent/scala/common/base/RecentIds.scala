package livius.agent

import java.util.LinkedHashSet

/** The newest ids seen: enough to recognise a repeated command, and bounded for any length of the
  * session.
  */
final class RecentIds(most: Int) {

  private val ids = new LinkedHashSet[Int]()

  /** Adds the id; false if it was known. */
  def add(id: Int): Boolean = synchronized {
    val isNew = ids.add(id)
    if (ids.size > most) {
      val oldest = ids.iterator
      oldest.next()
      oldest.remove()
    }
    isNew
  }

  def contains(id: Int): Boolean = synchronized(ids.contains(id))
}
