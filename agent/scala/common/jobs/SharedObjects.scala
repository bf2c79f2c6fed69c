package livius.agent

import java.util.{LinkedHashMap, Map, NoSuchElementException}

/** What jobs leave for later jobs, by name. Beyond so many the one that was not used for longest goes. */
final class SharedObjects(most: Int) {

  private val objects = new LinkedHashMap[String, Any](16, 0.75f, true) {
    override def removeEldestEntry(eldest: Map.Entry[String, Any]): Boolean = size > most
  }

  def get(name: String): Any = synchronized {
    if (!objects.containsKey(name)) throw new NoSuchElementException(s"there is no shared object named '$name'")
    objects.get(name)
  }

  def set(name: String, value: Any): Unit = synchronized(objects.put(name, value): Unit)

  /** Answers null when there is none. */
  def remove(name: String): Any = synchronized(objects.remove(name))
}
