// graphql_flutter 5.2: subscriptions that go on behind their own last item after every reconnect.

import 'dart:math';

import 'package:graphql_flutter/graphql_flutter.dart';

/// Where one subscription is. It travels with its request, and is kept as long as the subscription.
class Place extends ContextEntry {
  String? cursor;
  final seen = <String>{};

  @override
  List<Object> get fieldsForEquality => [];

  /// Keeps the item's cursor, and says whether the item is new.
  bool take(Map<String, dynamic>? item) {
    cursor = item?['cursor'] as String? ?? cursor;
    final id = item?['id'] as String?;
    if (id == null || item?['cursor'] == null) return true; // signals have no cursor
    if (seen.length == 1000) seen.remove(seen.first);
    return seen.add(id);
  }
}

/// Gives every subscription its place.
class ResumeLink extends Link {
  ResumeLink({required this.onItem, required this.onGap});

  final void Function() onItem;
  final void Function() onGap;

  @override
  Stream<Response> request(Request request, [NextLink? forward]) {
    final place = Place();
    return forward!(request.withContextEntry(place)).where((response) {
      final item = response.data?.values.first as Map<String, dynamic>?;
      onItem();
      if (item?['__typename'] == 'StreamGap') onGap();
      return place.take(item);
    });
  }
}

/// The socket serialises a request anew whenever it sends it: that is where the newest cursor goes in.
class ResumingSerializer extends RequestSerializer {
  const ResumingSerializer();

  @override
  Map<String, dynamic> serializeRequest(Request request) {
    final body = super.serializeRequest(request);
    final cursor = request.context.entry<Place>()?.cursor;
    if (cursor == null) return body;
    return {...body, 'variables': {...request.variables, 'after': cursor}};
  }
}

/// A client. `token` is asked at every request and every reconnect; `onGap` loads again what the app shows.
GraphQLClient connect(String url, {required Future<String?> Function() token, required void Function() onGap}) {
  final chance = Random();
  var attempt = 0;

  Future<String?> bearer() async {
    final value = await token();
    return value == null ? null : 'Bearer $value';
  }

  final socket = WebSocketLink(
    url.replaceFirst('http', 'ws'),
    subProtocol: GraphQLProtocol.graphqlTransportWs,
    config: SocketClientConfig(
      serializer: const ResumingSerializer(),
      initialPayload: () async {
        final authorization = await bearer();
        return {if (authorization != null) 'authorization': authorization};
      },
      // From 1 to 2 s before the first attempt, doubled each time up to from 15 to 30 s.
      onConnectionLost: (code, reason) async {
        final most = min(2000 * pow(2, min(attempt++, 10)), 30000).toInt();
        return Duration(milliseconds: most ~/ 2 + chance.nextInt(most ~/ 2));
      },
    ),
  );
  return GraphQLClient(
    link: Link.split(
      (request) => request.isSubscription,
      ResumeLink(onItem: () => attempt = 0, onGap: onGap).concat(socket),
      AuthLink(getToken: bearer).concat(HttpLink(url)),
    ),
    cache: GraphQLCache(),
  );
}
