package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode

/** Every frame that the agent sends. The fields are those of docs/design/agent-protocol.md. */
object Frames {

  /** The one protocol version that this agent speaks. */
  val Version = 3

  def hello(settings: Settings, facts: DriverFacts, kept: (Long, Long), work: Seq[SessionWork]): ObjectNode = {
    val made = frame("hello")
    made.putArray("versions").add(Version)
    made
      .put("driver", settings.driver)
      .put("instance", facts.instance)
      .put("pid", facts.pid)
      .put("spark", facts.spark)
      .put("scala", facts.scala)
      .put("java", facts.java)
      .put("firstSeq", kept._1)
      .put("lastSeq", kept._2)
    made.replace("sessions", Json.arr(work.map(inHand)))
    made
  }

  private def inHand(work: SessionWork): ObjectNode = {
    val made = ofSession(work.session, Json.obj())
    made.replace("active", work.active.fold[JsonNode](Json.nodes.nullNode())(id => Json.nodes.numberNode(id)))
    made.replace("queued", numbers(work.queued))
    made.replace("jobs", numbers(work.jobs))
    made.replace("interpreters", interpreterList(work.interpreters))
    made
  }

  private def numbers(ids: Seq[Int]): JsonNode = Json.arr(ids.map(id => Json.nodes.numberNode(id)))

  /** Adds the session to a frame. A frame of the driver's only session has none. */
  def ofSession(session: Option[Int], frame: ObjectNode): ObjectNode = {
    session.foreach(id => frame.put("session", id))
    frame
  }

  /** The session that a command names. None stands for the driver's only session. */
  def session(frame: JsonNode): Option[Int] = Option(frame.path("session")).filter(_.isInt).map(_.asInt)

  def ready(appId: String, sparkUiUrl: Option[String], sparkUser: String, master: String): ObjectNode =
    frame("ready")
      .put("appId", appId)
      .put("sparkUiUrl", sparkUiUrl.orNull)
      .put("sparkUser", sparkUser)
      .put("master", master)

  def contextUp(appId: String, sparkUiUrl: Option[String]): ObjectNode =
    frame("contextUp").put("appId", appId).put("sparkUiUrl", sparkUiUrl.orNull)

  def primed(): ObjectNode = frame("primed")

  def begun(error: Option[String]): ObjectNode = frame("begun").put("error", error.orNull)

  def failed(phase: String, message: String, detail: String): ObjectNode =
    frame("failed").put("phase", phase).put("message", message).put("detail", detail)

  def contextStopped(message: String): ObjectNode = frame("contextStopped").put("message", message)

  def started(statement: Int): ObjectNode =
    frame("started").put("statement", statement).put("at", System.currentTimeMillis)

  def chunk(statement: Int, index: Int, text: String): ObjectNode =
    frame("chunk").put("statement", statement).put("index", index).put("text", text)

  /** `output` is absent when chunks carried it. */
  def finished(statement: Int, cancelled: Boolean, output: Option[String], chunks: Int): ObjectNode =
    frame("finished")
      .put("statement", statement)
      .put("at", System.currentTimeMillis)
      .put("cancelled", cancelled)
      .put("output", output.orNull)
      .put("chunks", chunks)

  def jobStarted(job: Int): ObjectNode =
    frame("jobStarted").put("job", job).put("at", System.currentTimeMillis)

  def jobChunk(job: Int, index: Int, data: String): ObjectNode =
    frame("jobChunk").put("job", job).put("index", index).put("data", data)

  /** `result` is absent when chunks carried it. */
  def jobFinished(
      job: Int, outcome: String, result: Option[String] = None, chunks: Int = 0, error: Option[String] = None): ObjectNode =
    frame("jobFinished")
      .put("job", job)
      .put("at", System.currentTimeMillis)
      .put("outcome", outcome)
      .put("result", result.orNull)
      .put("chunks", chunks)
      .put("error", error.orNull)

  def resourceAdded(resource: Int, error: Option[String]): ObjectNode =
    frame("resourceAdded").put("resource", resource).put("error", error.orNull)

  def stopped(reason: String): ObjectNode = frame("stopped").put("reason", reason)

  def progress(statement: Int, progress: Double, stages: Seq[StageProgress]): ObjectNode = {
    val made = frame("progress").put("statement", statement).put("progress", progress)
    made.replace("stages", Json.arr(stages.map(stage(_))))
    made
  }

  private def stage(stage: StageProgress): ObjectNode =
    Json.obj().put("id", stage.id).put("name", stage.name).put("tasks", stage.tasks).put("done", stage.done).put("running", stage.running)

  def output(statement: Int, stream: String, offset: Long, bytes: Int, text: String): ObjectNode =
    frame("output").put("statement", statement).put("stream", stream).put("offset", offset).put("bytes", bytes).put("text", text)

  def interpreters(running: Seq[RunningInterpreter]): ObjectNode = {
    val made = frame("interpreters")
    made.replace("interpreters", interpreterList(running))
    made
  }

  private def interpreterList(running: Seq[RunningInterpreter]): JsonNode =
    Json.arr(running.map(one => Json.obj().put("kind", one.kind).put("since", one.since)))

  def completed(request: JsonNode, candidates: Seq[String]): ObjectNode = {
    val made = frame("completed")
    made.replace("request", request)
    made.replace("candidates", Json.arr(candidates.map(Json.text)))
    made
  }

  private def frame(kind: String): ObjectNode = Json.obj().put("v", Version).put("type", kind)
}
