package livius.agent

import java.util.TreeMap

import com.fasterxml.jackson.databind.node.ObjectNode

/** The events that the server has not acknowledged yet, in order.
  *
  * It is the only buffer between the statements and the network. When it is full, whoever adds has to wait: a statement
  * that prints without end is slowed down by the server, it does not fill the driver's memory.
  */
final class Outbox(capacity: Int) {

  private val events = new TreeMap[Long, Array[Byte]]()
  private var lastSeq = 0L
  private var held = 0L

  /** Numbers the event and keeps it; answers the number. Waits for room first. */
  def add(event: ObjectNode): Long = synchronized {
    while (held >= capacity) wait()
    keep(event)
  }

  /** The same without waiting: for small events, and for the last words of a driver that ends anyway. */
  def addNow(event: ObjectNode): Long = synchronized(keep(event))

  /** Forgets all events up to and including `seq`. */
  def acknowledge(seq: Long): Unit = synchronized {
    val known = events.headMap(seq, true)
    known.values.forEach(bytes => held -= bytes.length)
    known.clear()
    notifyAll()
  }

  /** Whether the event of that number is still unacknowledged. */
  def holds(seq: Long): Boolean = synchronized(events.containsKey(seq))

  /** The first event behind `seq`, if there is one. */
  def after(seq: Long): Option[(Long, Array[Byte])] = synchronized {
    Option(events.higherEntry(seq)).map(entry => (entry.getKey, entry.getValue))
  }

  /** The numbers kept, first and last; the first is one beyond the last when there are none. */
  def range: (Long, Long) = synchronized {
    (if (events.isEmpty) lastSeq + 1 else events.firstKey, lastSeq)
  }

  /** Waits until everything was acknowledged, or for so long. */
  def awaitEmpty(millis: Long): Unit = synchronized {
    val deadline = System.nanoTime + millis * 1000000
    while (!events.isEmpty && System.nanoTime < deadline) wait(50)
  }

  // The number is taken last: if memory runs out in between, no number may be missing in the sequence.
  private def keep(event: ObjectNode): Long = {
    val seq = lastSeq + 1
    event.put("seq", seq)
    val bytes = Json.frame(event)
    events.put(seq, bytes)
    held += bytes.length
    lastSeq = seq
    seq
  }
}
