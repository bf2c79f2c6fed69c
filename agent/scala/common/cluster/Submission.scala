package livius.agent

/** Spark's own submission, a process that ends when the master has the job. */
object Submission {

  /** Starts it. It writes into the job's log, as this process does. */
  def start(order: SubmitOrder): Process = {
    val builder = new ProcessBuilder(order.command: _*).inheritIO()
    val environment = builder.environment
    // Spark hands all of this to the cluster's driver. What the server knows its own processes by would have that one swept away,
    // if it runs on this machine.
    environment.keySet.removeIf(_.startsWith(OurOwn))
    order.environment.foreach { case (name, value) => environment.put(name, value) }
    builder.start()
  }

  private val OurOwn = "LIVIUS_"
}
