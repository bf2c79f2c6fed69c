package livius.agent

import java.util.LinkedHashSet

/** The newest ids seen: enough to know a repeated command, and bounded however long the session lives. */
final class RecentIds(most: Int) {

  private val ids = new LinkedHashSet[Int]()

  /** Notes the id; false when it was known. */
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
