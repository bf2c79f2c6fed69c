package livius.agent

import java.util.{LinkedHashMap, Map, NoSuchElementException}

/** Objects that jobs leave for later jobs, by name. Beyond the limit the least recently used one is
  * dropped.
  */
final class SharedObjects(most: Int) {

  private val objects = new LinkedHashMap[String, Any](16, 0.75f, true) {
    override def removeEldestEntry(eldest: Map.Entry[String, Any]): Boolean = size > most
  }

  def get(name: String): Any = synchronized {
    if (!objects.containsKey(name)) throw new NoSuchElementException(s"there is no shared object named '$name'")
    objects.get(name)
  }

  def set(name: String, value: Any): Unit = synchronized(objects.put(name, value): Unit)

  /** Returns null if there is none. */
  def remove(name: String): Any = synchronized(objects.remove(name))
}
