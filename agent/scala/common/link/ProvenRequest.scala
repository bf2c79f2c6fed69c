package livius.agent

/** One request to the server. The first one of a purpose asks for a challenge and says nothing but
  * the driver's name; the next one answers the challenge. Both have a nonce, so that a response to
  * an earlier request proves nothing.
  */
final class ProvenRequest private (proof: Proof, purpose: String, val body: Array[Byte], challenge: Option[String]) {

  import ProvenRequest._

  private val nonce = Proof.nonce()

  def headers: Seq[(String, String)] =
    Seq(Driver -> proof.driver, Nonce -> nonce) ++
      challenge.toSeq.flatMap(given => Seq(Challenge -> given, ProofHeader -> proof.ofRequest(nonce, purpose, given, body)))

  /** Whether a response comes from a server that knows the driver's secret. */
  def isProven(status: Int, header: String => Option[String]): Boolean = {
    val expected = proof.ofResponse(nonce, purpose, status, header(Challenge).getOrElse(""))
    header(ProofHeader).exists(Proof.isEqual(expected, _))
  }

  /** The request to send after a proven response, if that was the challenge for this one. */
  def next(status: Int, header: String => Option[String], body: Array[Byte]): Option[ProvenRequest] =
    header(Challenge).filter(_ => status == 401 && challenge.isEmpty)
      .map(given => new ProvenRequest(proof, purpose, body, Some(given)))
}

object ProvenRequest {
  private val Driver = "Livius-Driver"
  private val Nonce = "Livius-Nonce"
  private val Challenge = "Livius-Challenge"
  private val ProofHeader = "Livius-Proof"

  val EmptyBody: Array[Byte] = Array.emptyByteArray

  /** The request that asks for a challenge. */
  def first(proof: Proof, purpose: String): ProvenRequest = new ProvenRequest(proof, purpose, EmptyBody, None)
}
