//! The names and shapes that front ends were built on. They stay, whatever else is added beside them.

use super::{Sdl, keeps, tells};

/// `Type.field(arguments): Type`, or `Type.field` alone for fields of inputs and `Enum.VALUE`.
const CORE: &str = "
    Query.viewer: Viewer
    Query.node(id: ID!): Node
    Query.nodes(ids: [ID!]!): [Node]!
    Query.jobs(after: String, before: String, filter: JobFilter, first: Int, last: Int, orderBy: JobOrder): JobConnection!
    Query.job(id: ID!): Job
    Query.booking(id: ID!): Booking
    Query.conversation(id: ID!): Conversation
    Query.events(after: String, first: Int): StreamEventConnection!
    Query.feeQuote(budget: MoneyInput!): FeeQuote!
    Viewer.user: User!
    Viewer.wallet(currency: CurrencyCode): Wallet!
    Viewer.wallets: [Wallet!]!
    Viewer.jobs(after: String, first: Int): JobConnection!
    Viewer.offers(after: String, first: Int): OfferConnection!
    Viewer.bookings(after: String, first: Int): BookingConnection!
    Viewer.conversations(after: String, first: Int): ConversationConnection!
    Viewer.unreadMessageCount: Int!
    Viewer.notifications(after: String, before: String, filter: NotificationFilter, first: Int, last: Int): NotificationConnection!
    Viewer.unreadNotificationCount: Int!
    Viewer.streamCursor: String!
    Viewer.sessions: [Session!]!
    User.id: ID!
    User.displayName: String!
    User.roles: [Role!]
    User.rating: RatingSummary!
    User.reviews(after: String, first: Int): ReviewConnection!
    RatingSummary.average: Decimal
    RatingSummary.count: Int!
    Job.id: ID!
    Job.title: String!
    Job.description: String!
    Job.budget: Money!
    Job.status: JobStatus!
    Job.customer: User!
    Job.offers(after: String, before: String, filter: OfferFilter, first: Int, last: Int, orderBy: OfferOrder): OfferConnection!
    Job.booking: Booking
    Job.conversation: Conversation
    Job.availableTransitions: [Transition!]!
    Offer.availableTransitions: [Transition!]!
    Booking.availableTransitions: [Transition!]!
    Transition.name: TransitionName!
    Transition.label: String!
    Transition.deadline: DateTime
    Transition.moneyEffect: MoneyEffect
    Transition.refusedBecause: TransitionError
    Query.transitionPreview(id: ID!, name: TransitionName!): TransitionPreview
    Offer.id: ID!
    Offer.job: Job!
    Offer.contractor: User!
    Offer.madeBy: OfferSide!
    Offer.amount: Money!
    Offer.message: String!
    Offer.quote: FeeQuote!
    Offer.status: OfferStatus!
    Offer.expiresAt: DateTime!
    Booking.id: ID!
    Booking.job: Job
    Booking.customer: User!
    Booking.contractor: User!
    Booking.amount: Money!
    Booking.status: BookingStatus!
    Booking.conversation: Conversation!
    Booking.escrow: Money!
    Booking.reviews: [Review!]!
    Booking.myReview: Review
    Review.id: ID!
    Review.author: User!
    Review.subject: User!
    Review.rating: Int!
    Review.text: String!
    Review.reply: String
    Review.status: ReviewStatus!
    Review.createdAt: DateTime!
    Wallet.currency: CurrencyCode!
    Wallet.available: Money!
    Wallet.held: Money!
    Wallet.escrow: Money!
    Wallet.pendingPayout: Money!
    Wallet.transactions(after: String, before: String, filter: TransactionFilter, first: Int, last: Int): TransactionConnection!
    Payment.id: ID!
    Payment.amount: Money!
    Payment.status: PaymentStatus!
    Payment.nextStep: PaymentStep
    Conversation.id: ID!
    Conversation.job: Job
    Conversation.participants: [User!]!
    Conversation.lastMessage: Message
    Conversation.unreadCount: Int!
    Conversation.isActive: Boolean!
    Conversation.messages(after: String, before: String, first: Int, last: Int): MessageConnection!
    Message.id: ID!
    Message.number: Int!
    Message.clientMessageId: String
    Message.conversation: Conversation!
    Message.sender: User!
    Message.content: String!
    Message.status: MessageStatus!
    Message.createdAt: DateTime!
    Money.amount: Decimal!
    Money.currency: CurrencyCode!
    Money.minorUnits: BigInt!
    MoneyInput.amount: Decimal!
    MoneyInput.currency: CurrencyCode!
    PageInfo.hasNextPage: Boolean!
    PageInfo.hasPreviousPage: Boolean!
    PageInfo.startCursor: String
    PageInfo.endCursor: String
    FeeQuote.customerTotal: Money!
    FeeQuote.platformFee: Money!
    FeeQuote.serviceFee: Money!
    FeeQuote.contractorNet: Money!
    SessionTokens.accessToken: String!
    SessionTokens.refreshToken: String!
    SessionTokens.expiresAt: DateTime!
    Mutation.accountSignUp(input: AccountSignUpInput!): AccountSignUpPayload
    AccountSignUpInput.email: EmailAddress!
    AccountSignUpInput.password: String!
    AccountSignUpInput.displayName: String!
    AccountSignUpInput.roles: [SelfRole!]!
    SelfRole.CUSTOMER
    SelfRole.CONTRACTOR
    AccountSignUpPayload.session: SessionTokens
    AccountSignUpPayload.viewer: Viewer
    Mutation.accountSignIn(input: AccountSignInInput!): AccountSignInPayload
    AccountSignInInput.email: EmailAddress!
    AccountSignInInput.password: String!
    AccountSignInPayload.session: SessionTokens
    Mutation.sessionRefresh(input: SessionRefreshInput!): SessionRefreshPayload
    SessionRefreshInput.refreshToken: String!
    SessionRefreshPayload.session: SessionTokens
    Mutation.sessionSignOut(input: SessionSignOutInput!): SessionSignOutPayload
    SessionSignOutInput.all: Boolean!
    Mutation.connectionRenew(input: ConnectionRenewInput!): ConnectionRenewPayload
    ConnectionRenewInput.accessToken: String!
    Mutation.depositCreate(input: DepositCreateInput!): DepositCreatePayload
    DepositCreateInput.amount: MoneyInput!
    DepositCreateInput.idempotencyKey: String!
    DepositCreatePayload.payment: Payment
    DepositCreatePayload.wallet: Wallet
    Mutation.jobPost(input: JobPostInput!): JobPostPayload
    JobPostInput.title: String!
    JobPostInput.description: String!
    JobPostInput.budget: MoneyInput!
    JobPostPayload.job: Job
    JobStatus.OPEN
    Mutation.offerSend(input: OfferSendInput!): OfferSendPayload
    OfferSendInput.jobId: ID!
    OfferSendInput.contractorId: ID
    OfferSendInput.amount: MoneyInput!
    OfferSendInput.message: String!
    OfferSendInput.idempotencyKey: String!
    OfferSendPayload.offer: Offer
    Mutation.offerAccept(input: OfferAcceptInput!): OfferAcceptPayload
    OfferAcceptInput.offerId: ID!
    OfferAcceptInput.idempotencyKey: String!
    OfferAcceptPayload.offer: Offer
    OfferAcceptPayload.booking: Booking
    OfferAcceptPayload.conversation: Conversation
    Mutation.offerDecline(input: OfferDeclineInput!): OfferDeclinePayload
    OfferDeclineInput.offerId: ID!
    OfferDeclinePayload.offer: Offer
    Mutation.offerWithdraw(input: OfferWithdrawInput!): OfferWithdrawPayload
    OfferWithdrawInput.offerId: ID!
    OfferWithdrawPayload.offer: Offer
    Mutation.bookingStart(input: BookingStartInput!): BookingStartPayload
    BookingStartInput.bookingId: ID!
    BookingStartPayload.booking: Booking
    Mutation.bookingDeliver(input: BookingDeliverInput!): BookingDeliverPayload
    BookingDeliverInput.bookingId: ID!
    BookingDeliverPayload.booking: Booking
    Mutation.bookingComplete(input: BookingCompleteInput!): BookingCompletePayload
    BookingCompleteInput.bookingId: ID!
    BookingCompleteInput.idempotencyKey: String!
    BookingCompletePayload.booking: Booking
    Mutation.bookingCancel(input: BookingCancelInput!): BookingCancelPayload
    BookingCancelInput.bookingId: ID!
    BookingCancelInput.reason: String!
    BookingCancelInput.idempotencyKey: String!
    BookingCancelPayload.booking: Booking
    Mutation.reviewPost(input: ReviewPostInput!): ReviewPostPayload
    ReviewPostInput.bookingId: ID!
    ReviewPostInput.rating: Int!
    ReviewPostInput.text: String!
    ReviewPostPayload.review: Review
    Mutation.messageSend(input: MessageSendInput!): MessageSendPayload
    MessageSendInput.conversationId: ID!
    MessageSendInput.content: String!
    MessageSendInput.clientMessageId: String
    MessageSendPayload.message: Message
    Mutation.conversationMarkRead(input: ConversationMarkReadInput!): ConversationMarkReadPayload
    ConversationMarkReadInput.conversationId: ID!
    ConversationMarkReadInput.upToMessageId: ID!
    ConversationMarkReadPayload.conversation: Conversation
    ConversationMarkReadPayload.readCount: Int
    Mutation.typingSet(input: TypingSetInput!): TypingSetPayload
    TypingSetInput.conversationId: ID!
    TypingSetInput.isTyping: Boolean!
    Mutation.announcementPublish(input: AnnouncementPublishInput!): AnnouncementPublishPayload
    AnnouncementPublishInput.title: String!
    AnnouncementPublishInput.body: String!
    AnnouncementPublishInput.level: AnnouncementLevel!
    Subscription.conversationChanged(after: String, conversationId: ID, throttleMs: Int): ConversationEvent!
    MessageCreated.message: Message
    MessageCreated.conversation: Conversation
    Subscription.presenceChanged(userIds: [ID!]!): PresenceSignal!
    Subscription.typingChanged(conversationId: ID!): TypingSignal!
    Subscription.jobChanged(after: String, jobId: ID, throttleMs: Int): JobEvent!
    Subscription.offerChanged(after: String, throttleMs: Int): OfferEvent!
    Subscription.bookingChanged(after: String, bookingId: ID, throttleMs: Int): BookingEvent!
    BookingCreated.booking: Booking
    BookingStatusChanged.from: BookingStatus!
    BookingStatusChanged.to: BookingStatus!
    BookingCancelled.reason: String
    BookingCancelled.refund: Money!
    Subscription.reviewChanged(after: String, throttleMs: Int): ReviewEvent!
    Subscription.walletChanged(after: String, throttleMs: Int): WalletEvent!
    WalletCredited.wallet: Wallet!
    WalletDebited.wallet: Wallet!
    PaymentCompleted.wallet: Wallet!
    PaymentFailed.wallet: Wallet!
    Subscription.earningChanged(after: String, throttleMs: Int): EarningEvent!
    Subscription.announcementPublished(after: String, throttleMs: Int): AnnouncementEvent!
    AnnouncementAdded.announcement: Announcement
    Announcement.title: String!
    Announcement.body: String!
    Announcement.level: AnnouncementLevel!
    Mutation.notificationMarkRead(input: NotificationMarkReadInput!): NotificationMarkReadPayload
    NotificationMarkReadInput.notificationId: ID
    NotificationMarkReadInput.all: Boolean
    Subscription.notificationReceived(after: String, throttleMs: Int): NotificationEvent!
    NotificationReceived.notification: Notification
    NotificationReceived.unreadCount: Int!
    Subscription.eventAppended(after: String, throttleMs: Int): StreamEvent!
    Subscription.adminAlertRaised(after: String, throttleMs: Int): AdminAlertEvent!
    Subscription.adminStatsChanged: AdminStats!
    StreamGap.reason: StreamGapReason!
    StreamResumed.cursor: String
    StreamCheckpoint.cursor: String
";

/// Objects that `node` finds.
const NODES: [&str; 9] =
    ["User", "Job", "Offer", "Booking", "Review", "Payment", "Conversation", "Message", "Notification"];

/// Everything that a schema has, in the form of [`CORE`].
fn lines(sdl: &Sdl) -> Vec<String> {
    let fields = sdl.fields().map(|(ty, field)| {
        let arguments: Vec<_> = field.arguments.iter().map(|it| format!("{}: {}", it.node.name, it.node.ty)).collect();
        let list = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        format!("{ty}.{}{list}: {}", field.name, field.ty)
    });
    let inputs = sdl.inputs().into_iter().map(|(place, it)| format!("{place}: {}", it.ty));
    let values = sdl.values().into_iter().map(|(ty, value, _)| format!("{ty}.{value}"));
    fields.chain(inputs).chain(values).collect()
}

fn lost(sdl: &Sdl) -> Vec<String> {
    missing(sdl, CORE).into_iter().chain(no_nodes(sdl)).collect()
}

fn missing(sdl: &Sdl, core: &str) -> Vec<String> {
    let known = lines(sdl);
    let wanted = core.lines().map(str::trim).filter(|line| !line.is_empty());
    wanted.filter(|line| !known.iter().any(|it| it == line)).map(|line| format!("{line}: is gone or changed")).collect()
}

fn no_nodes(sdl: &Sdl) -> Vec<String> {
    let plain = NODES.iter().filter(|name| !sdl.implements(name, "Node"));
    plain.map(|name| format!("{name}: is no Node")).collect()
}

#[test]
fn what_front_ends_rely_on_is_there() {
    keeps(lost);
}

#[test]
fn a_change_of_the_core_is_noticed() {
    let core = |sdl: &Sdl| missing(sdl, "A.b(c: Int): [D!]!\n E.F\n G.h: Int");
    let good = "type A { b(c: Int): [D!]! } enum E { F } input G { h: Int }";
    let bad = "type A { b(c: Int!): [D!]! } enum E { G } input G { h: Int! }";
    tells(core, good, bad, &["A.b(c", "E.F", "G.h"]);
    tells(
        |sdl| no_nodes(sdl).into_iter().skip(NODES.len() - 1).collect(),
        "type Notification implements Node { a: Int }",
        "type Notification { a: Int }",
        &["Notification"],
    );
}
